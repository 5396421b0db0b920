"""Documents as staff settles and corrects them, as Stripe tells of them, and as they are read."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from keywright.contracts import repository as contract_repository
from keywright.contracts.course.charges import DocumentKind, Line
from keywright.contracts.desk import Desk
from keywright.contracts.invoices import issuing, repository
from keywright.contracts.invoices.models import (
    CreditInvalid,
    FullInvoice,
    Invoice,
    InvoiceFilter,
    InvoiceState,
    InvoiceStateConflict,
)
from keywright.contracts.models import Contract
from keywright.jobs import service as jobs
from keywright.platform import ids, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page

_BY_STRIPE = {
    "paid": InvoiceState.PAID,
    "void": InvoiceState.VOID,
    "uncollectible": InvoiceState.UNCOLLECTIBLE,
}


def issue(tx: Transaction, desk: Desk, *, invoice_sid: str) -> Invoice:
    """
    Issue a draft that staff has looked through; one that is issued stays as it is.

    :raises ContractInvoiceNotFound: if there is none
    """
    contract, invoice = _lock(tx, invoice_sid)
    return issuing.issue(tx, desk, contract, invoice_sid=invoice.invoice_sid)


def settle(tx: Transaction, desk: Desk, *, invoice_sid: str, state: InvoiceState, reference: str | None) -> Invoice:
    """
    Note that a document was paid, given up, or is void. Of a credit note: that its surplus was paid back.

    :raises ContractInvoiceNotFound: if there is none
    :raises InvoiceStateConflict: if no way leads there
    """
    contract, invoice = _lock(tx, invoice_sid)
    if state is not InvoiceState.PAID and invoice.document_kind is DocumentKind.CREDIT_NOTE:
        raise InvoiceStateConflict("A credit note is paid back, and not taken back.")
    if state is InvoiceState.VOID and repository.sum_credits(tx, invoice_sid=invoice_sid)[0]:
        raise InvoiceStateConflict("Credit notes correct this invoice already; correct the rest by another one.")
    settled = issuing.move(tx, desk, contract, invoice, state=state, reference=reference)
    if settled is not invoice and settled.stripe_invoice_id is not None:
        payload = {"invoice_sid": invoice_sid}
        jobs.enqueue(tx, "contracts.settle-at-stripe", payload, key=f"{invoice_sid}:{state}", now=desk.now)
    return settled


def credit(tx: Transaction, desk: Desk, *, invoice_sid: str, amount_minor: int, reason: str) -> Invoice:
    """
    Correct an issued invoice by a credit note.

    :raises ContractInvoiceNotFound: if there is none
    :raises InvoiceStateConflict: if it is a draft, void, or itself a credit note
    :raises CreditInvalid: if more would be given back than was billed
    """
    contract, invoice = _lock(tx, invoice_sid)
    if invoice.document_kind is not DocumentKind.INVOICE or invoice.state in {InvoiceState.DRAFT, InvoiceState.VOID}:
        raise InvoiceStateConflict(f"A {invoice.document_kind} that is {invoice.state} is not corrected.")
    credited, notes = repository.sum_credits(tx, invoice_sid=invoice_sid)
    if amount_minor > invoice.total_minor - credited:
        raise CreditInvalid(f"At most {invoice.total_minor - credited} can be given back on this invoice.")
    # The invoice is locked: the count names the note, and its key keeps a second one of this number away.
    key = f"{invoice_sid}:credit:{notes + 1}"
    note = replace(
        invoice,
        invoice_sid=ids.new("cin", now=desk.now),
        document_kind=DocumentKind.CREDIT_NOTE,
        corrects_sid=invoice_sid,
        billing_key=key,
        state=InvoiceState.DRAFT,
        total_minor=amount_minor,
        credited_minor=0,
        billed_at=desk.now,
        reason=reason,
        stripe_invoice_id=None,
        stripe_invoice_url=None,
        created_at=desk.now,
    )
    line = Line(reason, None, None, Decimal(1), amount_minor, invoice.period_start, invoice.period_end, proration=False)
    repository.add_invoice(tx, note, [line])
    return issuing.issue(tx, desk, contract, invoice_sid=note.invoice_sid)


def attach_stripe(tx: Transaction, *, invoice_sid: str, stripe_invoice_id: str, url: str | None) -> None:
    """Keep which invoice at Stripe collects one of ours."""
    repository.attach_stripe_invoice(tx, invoice_sid=invoice_sid, stripe_invoice_id=stripe_invoice_id, url=url)


def observe_stripe(tx: Transaction, desk: Desk, *, invoice_sid: str, stripe_invoice_id: str, status: str) -> None:
    """
    Take over what Stripe says of the invoice that it collects for us. What has come further here stays.

    An id that names no invoice of ours, or one that another invoice at Stripe collects, changes nothing.
    """
    tied = repository.attach_stripe_invoice(tx, invoice_sid=invoice_sid, stripe_invoice_id=stripe_invoice_id, url=None)
    state = _BY_STRIPE.get(status)
    if not tied or state is None:
        return
    contract, invoice = _lock(tx, invoice_sid)
    is_owed = invoice.state is InvoiceState.OPEN or (
        invoice.state is InvoiceState.UNCOLLECTIBLE and state is not InvoiceState.UNCOLLECTIBLE
    )
    if is_owed:
        issuing.move(tx, desk, contract, invoice, state=state, reference=stripe_invoice_id)


def get_invoice(tx: Transaction, *, invoice_sid: str, customer_sid: str | None) -> FullInvoice:
    """
    Return a document of the customer, or to staff (None) of any. A customer's drafts are not there yet.

    :raises ContractInvoiceNotFound: if it is absent or somebody else's
    """
    invoice = repository.get_invoice(tx, invoice_sid=invoice_sid, customer_sid=customer_sid)
    if customer_sid is not None and invoice.state is InvoiceState.DRAFT:
        raise repository.absent()
    number = None
    if invoice.corrects_sid is not None:
        number = repository.get_invoice(tx, invoice_sid=invoice.corrects_sid, customer_sid=None).document_number
    return FullInvoice(invoice, repository.list_lines(tx, invoice_sid=invoice_sid), number)


def list_invoices(
    tx: Transaction, *, wanted: InvoiceFilter, shows_drafts: bool, limit: int, cursor: str | None
) -> Page[Invoice]:
    """
    Return a page of documents, newest first. Drafts are for staff.

    :raises CursorInvalid: if the cursor is none of ours
    """
    found = repository.list_invoices(
        tx,
        wanted=wanted,
        shows_drafts=shows_drafts,
        before_sid=paging.decode(cursor) or None,
        limit=limit + 1,
    )
    return paging.page(found, limit=limit, key=lambda invoice: invoice.invoice_sid)


def _lock(tx: Transaction, invoice_sid: str) -> tuple[Contract, Invoice]:
    """Lock an invoice behind its contract, as everybody does."""
    seen = repository.get_invoice(tx, invoice_sid=invoice_sid, customer_sid=None)
    contract = contract_repository.lock_contract(tx, contract_sid=seen.contract_sid)
    return contract, repository.lock_invoice(tx, invoice_sid=invoice_sid)
