"""What contracts bill: invoices and the credit notes that correct them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from keywright.contracts.course.charges import DocumentKind, Line
from keywright.contracts.models import Collection
from keywright.platform.errors import Conflict, Invalid, NotFound


class InvoiceState(StrEnum):
    """Where a document stands. An OPEN credit note waits for its surplus to be paid back."""

    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAID = "PAID"
    VOID = "VOID"
    UNCOLLECTIBLE = "UNCOLLECTIBLE"


@dataclass(frozen=True)
class Invoice:
    """
    A document, without its lines. Amounts are minor units.

    ``credited_minor`` is what credit notes took off an invoice; of a credit note it is what went into its invoice.
    ``seller`` and ``buyer`` are kept as they were when it was issued.
    """

    invoice_sid: str
    document_kind: DocumentKind
    customer_sid: str
    contract_sid: str
    subscription_sid: str
    corrects_sid: str | None
    legal_entity_sid: str
    billing_key: str
    state: InvoiceState
    currency: str
    total_minor: int
    credited_minor: int
    period_start: date
    period_end: date
    billed_at: datetime
    collection: Collection
    payment_terms_days: int
    reason: str | None
    seller: str | None
    buyer: str | None
    document_number: str | None
    issued_at: datetime | None
    due_at: datetime | None
    paid_at: datetime | None
    payment_reference: str | None
    closed_at: datetime | None
    stripe_invoice_id: str | None
    stripe_invoice_url: str | None
    created_at: datetime

    @property
    def remaining_minor(self) -> int:
        """Return what is still to be paid, or of a credit note: to be paid back."""
        return self.total_minor - self.credited_minor if self.state in _OWED else 0


_OWED = frozenset({InvoiceState.DRAFT, InvoiceState.OPEN, InvoiceState.UNCOLLECTIBLE})


@dataclass(frozen=True)
class FullInvoice:
    """A document with its lines, and the number of the one that it corrects."""

    invoice: Invoice
    lines: tuple[Line, ...]
    corrects_number: str | None = None


@dataclass(frozen=True)
class InvoiceFilter:
    """Which documents a list holds; None leaves a field open."""

    customer_sid: str | None = None
    contract_sid: str | None = None
    subscription_sid: str | None = None
    state: InvoiceState | None = None
    document_kind: DocumentKind | None = None


class ContractInvoiceNotFound(NotFound):
    """There is no such invoice, or it is another customer's."""

    code = "contract-invoice-not-found"
    title = "There is no such contract invoice"


class InvoiceStateConflict(Conflict):
    """The invoice's state does not allow it."""

    code = "invoice-state-conflict"
    title = "The invoice's state does not allow it"


class CreditInvalid(Invalid):
    """More would be given back than was billed."""

    code = "credit-invalid"
    title = "The credit is not valid"
