"""Rows of ``contract_invoices`` and their lines. A customer's reads are bounded by ``customer_sid``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from keywright.billers.models import Biller
from keywright.contracts.course.charges import DocumentKind, Line
from keywright.contracts.invoices.models import ContractInvoiceNotFound, Invoice, InvoiceFilter, InvoiceState
from keywright.contracts.models import Collection
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_invoice(tx: Transaction, invoice: Invoice, lines: Sequence[Line]) -> bool:
    """Insert a DRAFT with its lines; False if something with its billing key is there, whoever put it there."""
    added = tx.insert_new(
        _sql.add_invoice, unique_key="uq_contract_invoices_billing_key", **vars(invoice), now=invoice.created_at
    )
    if added:
        rows = [_line_row(invoice, number, line) for number, line in enumerate(lines, start=1)]
        tx.run_many(_sql.add_invoice_line, rows)
    return added


def issue_invoice(
    tx: Transaction,
    *,
    invoice_sid: str,
    document_no: int,
    document_number: str,
    seller: str,
    buyer: str,
    due_at: datetime | None,
    now: datetime,
) -> None:
    """Make a draft an issued document."""
    tx.run(
        _sql.issue_invoice,
        invoice_sid=invoice_sid,
        document_no=document_no,
        document_number=document_number,
        seller=seller,
        buyer=buyer,
        due_at=due_at,
        now=now,
    )


def set_state(
    tx: Transaction,
    *,
    invoice_sid: str,
    state: InvoiceState,
    paid_at: datetime | None = None,
    payment_reference: str | None = None,
    closed_at: datetime | None = None,
) -> None:
    """Set where a document stands that the caller has locked."""
    tx.run(
        _sql.set_invoice_state,
        invoice_sid=invoice_sid,
        state=state,
        paid_at=paid_at,
        payment_reference=payment_reference,
        closed_at=closed_at,
    )


def set_credited(tx: Transaction, *, invoice_sid: str, credited_minor: int) -> None:
    """Set what has been credited on a document that the caller has locked."""
    tx.run(_sql.set_credited, invoice_sid=invoice_sid, credited_minor=credited_minor)


def attach_stripe_invoice(tx: Transaction, *, invoice_sid: str, stripe_invoice_id: str, url: str | None) -> bool:
    """Tie an invoice to the one at Stripe that collects it; False if it is tied to another one."""
    found = tx.run(
        _sql.attach_stripe_invoice,
        invoice_sid=invoice_sid,
        stripe_invoice_id=stripe_invoice_id,
        stripe_invoice_url=url,
    )
    return found == 1


def get_invoice(tx: Transaction, *, invoice_sid: str, customer_sid: str | None) -> Invoice:
    """
    Return a document of the customer, or to staff (None) of any.

    :raises ContractInvoiceNotFound: if it is absent or somebody else's
    """
    return _found(tx.one(_sql.find_invoice, invoice_sid=invoice_sid, customer_sid=customer_sid))


def lock_invoice(tx: Transaction, *, invoice_sid: str) -> Invoice:
    """
    Return a document, locked.

    :raises ContractInvoiceNotFound: if there is none
    """
    return _found(tx.one(_sql.lock_invoice, invoice_sid=invoice_sid))


def find_by_key(tx: Transaction, *, billing_key: str) -> str | None:
    """Return the sid of the invoice behind a billing key; behind a credit note's key that of what it corrects."""
    row = tx.one(_sql.find_invoice_by_key, billing_key=billing_key)
    return None if row is None else str(row["corrects_sid"] or row["invoice_sid"])


def list_invoices(
    tx: Transaction, *, wanted: InvoiceFilter, shows_drafts: bool, before_sid: str | None, limit: int
) -> list[Invoice]:
    """Return documents that are older than ``before_sid``, newest first."""
    rows = tx.all(
        _sql.list_invoices, **vars(wanted), shows_drafts=int(shows_drafts), before_sid=before_sid, limit=limit
    )
    return [_invoice(row) for row in rows]


def list_drafts(tx: Transaction, *, subscription_sid: str) -> list[str]:
    """Return the drafts of a subscription, in the order in which they fell due."""
    return [row["invoice_sid"] for row in tx.all(_sql.list_drafts, subscription_sid=subscription_sid)]


def sum_credits(tx: Transaction, *, invoice_sid: str) -> tuple[int, int]:
    """Return what the credit notes of an invoice give back together, and how many there are."""
    row = tx.one(_sql.sum_credits, invoice_sid=invoice_sid)
    assert row is not None
    return int(row["credited"]), int(row["notes"])


def list_lines(tx: Transaction, *, invoice_sid: str) -> tuple[Line, ...]:
    """Return the lines of a document."""
    return tuple(_line(row) for row in tx.all(_sql.list_invoice_lines, invoice_sid=invoice_sid))


def list_usage_cuts(tx: Transaction, *, subscription_sid: str) -> list[Row]:
    """Return each span of usage that was billed, with its newest cut, the oldest first."""
    return tx.all(_sql.list_usage_cuts, subscription_sid=subscription_sid)


def list_reported_late(tx: Transaction, *, since: datetime, after_sid: str, limit: int) -> list[str]:
    """Return subscriptions for which usage came after its bill."""
    rows = tx.all(_sql.list_reported_late, since=since, after_sid=after_sid, limit=limit)
    return [row["subscription_sid"] for row in rows]


def absent() -> ContractInvoiceNotFound:
    """Return what is said of a document that is not there, or not for this caller."""
    return ContractInvoiceNotFound("There is no contract invoice with this id.")


def _line_row(invoice: Invoice, number: int, line: Line) -> Row:
    return {
        "invoice_sid": invoice.invoice_sid,
        "line_no": number,
        "biller": line.biller,
        "description": line.description,
        "plan_sid": line.plan_sid,
        "plan_version": line.plan_version,
        "quantity": line.quantity,
        "amount_minor": line.amount_minor,
        "currency": invoice.currency,
        "period_start": line.start,
        "period_end": line.end,
        "proration": int(line.proration),
        "used_from": line.used[0] if line.used else None,
        "used_until": line.used[1] if line.used else None,
        "usage_cut": line.usage_cut,
    }


def _line(row: Row) -> Line:
    return Line(
        description=row["description"],
        plan_sid=row["plan_sid"],
        plan_version=row["plan_version"],
        quantity=row["quantity"],
        amount_minor=row["amount_minor"],
        start=row["period_start"],
        end=row["period_end"],
        proration=bool(row["proration"]),
        biller=Biller(row["biller"]),
        used=None if row["used_from"] is None else (row["used_from"], row["used_until"]),
        usage_cut=row["usage_cut"],
    )


def _found(row: Row | None) -> Invoice:
    if row is None:
        raise absent()
    return _invoice(row)


def _invoice(row: Row) -> Invoice:
    typed = {
        "document_kind": DocumentKind(row["document_kind"]),
        "state": InvoiceState(row["state"]),
        "collection": Collection(row["collection"]),
    }
    return Invoice(**{**row, **typed})
