"""What contracts bill: invoices and credit notes. Plans and legal entities are in the modules beside."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from functions.contract_billing import entities, overrides, plans
from functions.contract_billing.application import app, look, staff_act
from functions.contract_billing.models import (
    InvoiceAnswer,
    InvoiceDetailAnswer,
    InvoicesAnswer,
    invoice_answer,
    invoice_detail,
)
from keywright.contracts.course.charges import DocumentKind
from keywright.contracts.desk import Desk
from keywright.contracts.invoices import documents
from keywright.contracts.invoices import service as invoices
from keywright.contracts.invoices.models import FullInvoice, Invoice, InvoiceFilter, InvoiceState
from keywright.identity.repetition import Repetition
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit, SidQuery

ROUTES = (entities, overrides, plans)
"""Importing them has added their routes to the application."""

Reference = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]
Minor = Annotated[int, Field(ge=1, le=10**15)]

# The page styles itself and loads nothing.
_PAGE_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}


class PaymentRequest(http.Body):
    """By what the payment is known, such as the reference of a bank transfer."""

    reference: Reference


class CreditRequest(http.Body):
    """How much to give back, in minor units, and why."""

    amount_minor: Minor
    reason: Reason


@app.get("/v1/contract-invoices", summary="List what contracts billed", tags=["contracts"])
def list_invoices(  # noqa: PLR0917  (query parameters are named by the URL)
    contract_sid: SidQuery = None,
    subscription_sid: SidQuery = None,
    customer_sid: SidQuery = None,
    state: Annotated[InvoiceState | None, Query()] = None,
    document_kind: Annotated[DocumentKind | None, Query()] = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> InvoicesAnswer:
    """Return a page of invoices and credit notes, newest first; drafts to staff only."""

    def read(tx: Transaction, owner: str | None) -> paging.Page[Invoice]:
        wanted = InvoiceFilter(owner or customer_sid, contract_sid, subscription_sid, state, document_kind)
        return invoices.list_invoices(tx, wanted=wanted, shows_drafts=owner is None, limit=limit, cursor=cursor)

    page = look(read)
    return InvoicesAnswer(items=[invoice_answer(each) for each in page.items], next_cursor=page.next_cursor)


@app.get("/v1/contract-invoices/<invoice_sid>", summary="Show an invoice or credit note", tags=["contracts"])
def get_invoice(invoice_sid: str) -> InvoiceDetailAnswer:
    """Return a document with its lines, each with its biller."""
    return invoice_detail(_read(invoice_sid))


@app.get(
    "/v1/contract-invoices/<invoice_sid>/pdf",
    summary="Download it as PDF",
    tags=["contracts"],
    responses={200: {"description": "A PDF.", "content": {"application/pdf": {"schema": {"type": "string"}}}}},
    # Answers are validated as JSON, and these bytes are none.
    enable_validation=False,
)
def get_pdf(invoice_sid: str) -> Response[bytes]:
    """Return the document as it was mailed."""
    document = _read(invoice_sid)
    name = document.invoice.document_number or "draft"
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return Response(200, "application/pdf", documents.to_pdf(document), headers=headers)


@app.get(
    "/v1/contract-invoices/<invoice_sid>/html",
    summary="Read it as a page",
    tags=["contracts"],
    responses={200: {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}},
)
def get_html(invoice_sid: str) -> Response[str]:
    """Return the document as a page that needs nothing else."""
    page = documents.to_html(_read(invoice_sid))
    return Response(200, "text/html; charset=utf-8", page, headers=_PAGE_POLICY)


@app.post("/v1/contract-invoices/<invoice_sid>/issue", summary="Issue a draft", tags=["contracts"])
def issue_invoice(invoice_sid: str) -> InvoiceAnswer:
    """Give a draft that was looked through its number, and send it."""
    return invoice_answer(staff_act(lambda tx, desk: invoices.issue(tx, desk, invoice_sid=invoice_sid)))


@app.post("/v1/contract-invoices/<invoice_sid>/mark-paid", summary="Note a payment", tags=["contracts"])
def mark_paid(invoice_sid: str, body: PaymentRequest) -> InvoiceAnswer:
    """Note that an invoice was paid, or the surplus of a credit note paid back."""
    return _settle(invoice_sid, InvoiceState.PAID, body.reference)


@app.post("/v1/contract-invoices/<invoice_sid>/void", summary="Void an invoice", tags=["contracts"])
def void_invoice(invoice_sid: str) -> InvoiceAnswer:
    """Take an unpaid invoice back. Its number stays, and what it billed is not billed again."""
    return _settle(invoice_sid, InvoiceState.VOID, None)


@app.post("/v1/contract-invoices/<invoice_sid>/mark-uncollectible", summary="Give a debt up", tags=["contracts"])
def mark_uncollectible(invoice_sid: str) -> InvoiceAnswer:
    """Note that nobody expects the money any more. It is still owed, and goes on restricting the license."""
    return _settle(invoice_sid, InvoiceState.UNCOLLECTIBLE, None)


@app.post(
    "/v1/contract-invoices/<invoice_sid>/credit-notes",
    status_code=201,
    summary="Correct an invoice",
    tags=["contracts"],
)
def credit_invoice(invoice_sid: str, body: CreditRequest) -> InvoiceAnswer:
    """Issue a credit note: what is unpaid becomes less, the rest is to be paid back."""

    def act(tx: Transaction, desk: Desk) -> Invoice:
        return invoices.credit(tx, desk, invoice_sid=invoice_sid, amount_minor=body.amount_minor, reason=body.reason)

    return invoice_answer(staff_act(act))


def _settle(invoice_sid: str, state: InvoiceState, reference: str | None) -> InvoiceAnswer:
    def act(tx: Transaction, desk: Desk) -> Invoice:
        return invoices.settle(tx, desk, invoice_sid=invoice_sid, state=state, reference=reference)

    return invoice_answer(staff_act(act))


def _read(invoice_sid: str) -> FullInvoice:
    return look(lambda tx, owner: invoices.get_invoice(tx, invoice_sid=invoice_sid, customer_sid=owner))


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
