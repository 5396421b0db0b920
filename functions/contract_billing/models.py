"""How invoices, credit notes, plans and legal entities are answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from keywright.billers.models import Biller
from keywright.contracts.course.charges import DocumentKind, Line
from keywright.contracts.course.terms import Every, UsageType, pricing_fields
from keywright.contracts.invoices.models import FullInvoice, Invoice, InvoiceState
from keywright.contracts.models import Collection
from keywright.contracts.plans.models import Plan, PlanState
from keywright.platform import clock, http
from keywright.platform.money import decimal_text


class InvoiceAnswer(http.Body):
    """An invoice or a credit note; amounts are minor units. The period's end is not included."""

    invoice_sid: str
    document_kind: DocumentKind
    document_number: str | None
    state: InvoiceState
    customer_sid: str
    contract_sid: str
    subscription_sid: str
    corrects_sid: str | None
    currency: str
    total_minor: int
    credited_minor: int
    remaining_minor: int
    period_start: str
    period_end: str
    collection: Collection
    reason: str | None
    billed_at: str
    issued_at: str | None
    due_at: str | None
    paid_at: str | None
    payment_reference: str | None
    closed_at: str | None
    stripe_invoice_id: str | None
    stripe_invoice_url: str | None


class InvoicesAnswer(http.Body):
    """A page of documents, newest first."""

    items: list[InvoiceAnswer]
    next_cursor: str | None


class LineAnswer(http.Body):
    """A line of a document, and who bills it."""

    biller: Biller
    description: str
    plan_sid: str | None
    plan_version: int | None
    quantity: str
    amount_minor: int
    period_start: str
    period_end: str
    proration: bool


class InvoiceDetailAnswer(InvoiceAnswer):
    """A document with its lines, and the key of the fact that it bills."""

    billing_key: str
    corrects_number: str | None
    lines: list[LineAnswer]


class PlanAnswer(http.Body):
    """A plan in its newest version, or the one that was asked for. Versions never change."""

    plan_sid: str
    plan_code: str
    name: str
    product_id: str
    state: PlanState
    latest_version: int
    version: int
    currency: str
    every: Every
    interval_count: int
    usage_type: UsageType
    meter: str | None
    pricing: dict[str, Any] = Field(description="As in the request; amounts are texts of exact decimals.")
    created_at: str


class PlansAnswer(http.Body):
    """A page of plans, the oldest first."""

    items: list[PlanAnswer]
    next_cursor: str | None


def invoice_answer(invoice: Invoice) -> InvoiceAnswer:
    """Return how a document is answered in lists."""
    return InvoiceAnswer(**_fields(invoice))


def invoice_detail(document: FullInvoice) -> InvoiceDetailAnswer:
    """Return how a document is answered by itself."""
    return InvoiceDetailAnswer(
        **_fields(document.invoice),
        billing_key=document.invoice.billing_key,
        corrects_number=document.corrects_number,
        lines=[_line(line) for line in document.lines],
    )


def plan_answer(plan: Plan) -> PlanAnswer:
    """Return how a plan is answered."""
    version = {name: value for name, value in vars(plan.version).items() if name != "created_at"}
    kept = {name: value for name, value in vars(plan).items() if name != "version"}
    texts = {"pricing": pricing_fields(plan.version.pricing), "created_at": clock.to_wire(plan.created_at)}
    return PlanAnswer(**{**kept, **version, **texts})


def _fields(invoice: Invoice) -> dict[str, Any]:
    fields = {name: getattr(invoice, name) for name in InvoiceAnswer.model_fields}
    days = {name: str(fields[name]) for name in ("period_start", "period_end")}
    times = {name: _time(fields[name]) for name in ("billed_at", "issued_at", "due_at", "paid_at", "closed_at")}
    return {**fields, **days, **times}


_OTHERWISE = frozenset({"start", "end", "quantity", "used", "usage_cut"})
"""Fields of a line that its answer writes in another way, or leaves out."""


def _line(line: Line) -> LineAnswer:
    fields = {name: value for name, value in vars(line).items() if name not in _OTHERWISE}
    return LineAnswer(
        **fields, quantity=decimal_text(line.quantity), period_start=str(line.start), period_end=str(line.end)
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else clock.to_wire(moment)
