"""The invoices of the caller's customer, or of everybody for staff; and, for staff, how they agree with our prices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.invoices.agreement import DriftView, UncomparedList, drift_view, uncompared_view
from keywright.billers.models import Biller
from keywright.billing import statements
from keywright.billing.models import InvoiceLine
from keywright.billing.statements import InvoiceFilter, InvoiceStatement
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.errors import FieldError, RequestInvalid
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page
from keywright.price_drift import service as price_drift
from keywright.price_drift.models import Report, Uncompared

app = http.api()

Sid = Annotated[str | None, Query(max_length=255)]
Since = Annotated[str | None, Query(max_length=40)]
Status = Annotated[str | None, Query(pattern="^(draft|open|paid|void|uncollectible)$")]


class InvoiceLineView(http.Body):
    """One line of an invoice, and who bills it; the amount is in minor units."""

    biller: Biller
    line_id: str
    price_id: str | None
    description: str | None
    quantity: int | None
    amount_minor: int
    currency: str
    proration: bool
    period_start: str
    period_end: str


class InvoiceView(http.Body):
    """
    An invoice as Stripe last told of it; amounts are minor units of its currency. Lists leave the lines out.

    One that ``collects`` a contract's invoice is the same debt as that.
    """

    invoice_id: str
    customer_sid: str
    subscription_id: str | None
    invoice_number: str | None
    status: str
    currency: str
    amount_due: int
    amount_paid: int
    amount_remaining: int
    total: int
    attempt_count: int
    billing_reason: str | None
    collection_method: str | None
    created_at: str
    due_at: str | None
    next_attempt_at: str | None
    finalized_at: str | None
    paid_at: str | None
    collects: str | None
    lines: list[InvoiceLineView] | None


class InvoiceList(http.Body):
    """A page of invoices, newest first."""

    items: list[InvoiceView]
    next_cursor: str | None


@app.get("/v1/invoices", summary="List invoices", tags=["invoices"])
def list_invoices(
    status: Status = None,
    subscription_id: Sid = None,
    customer_sid: Sid = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> InvoiceList:
    """Return a page of the customer's invoices, newest first; staff sees everybody's, or one customer's."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Page[InvoiceStatement]:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        wanted = InvoiceFilter(
            customer_sid=caller.scope(chosen=customer_sid), status=status, subscription_id=subscription_id
        )
        return statements.list_invoices(tx, wanted=wanted, limit=limit, cursor=cursor)

    page = db.transact(work)
    return InvoiceList(items=[_view(item, with_lines=False) for item in page.items], next_cursor=page.next_cursor)


@app.get("/v1/invoices/<invoice_id>", summary="Show an invoice", tags=["invoices"])
def get_invoice(invoice_id: str) -> InvoiceView:
    """Return an invoice of the customer's with its lines; for staff, anybody's."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> InvoiceStatement:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return statements.get_invoice(tx, customer_sid=caller.scope(), invoice_id=invoice_id)

    return _view(db.transact(work), with_lines=True)


@app.get("/v1/price-drift", summary="Show how invoices agree with our prices", tags=["operations"])
def get_price_drift(
    since: Since = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> DriftView:
    """Return, for staff, the share of billed lines that are what was shown to the buyer, and those that are not."""
    access, now = identity_gateway.access_tokens(), clock.now()
    begins = clock.from_unix(0) if since is None else _moment(since)

    def work(tx: Transaction) -> Report:
        identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return price_drift.report(tx, since=begins, now=now, limit=limit, cursor=cursor)

    report = db.transact(work)
    return drift_view(report)


@app.get("/v1/price-drift/uncompared", summary="List what was billed and not compared", tags=["operations"])
def list_uncompared(since: Since = None, limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None) -> UncomparedList:
    """Return, for staff, billed lines that were not compared with our prices, and why; first by invoice."""
    access, now = identity_gateway.access_tokens(), clock.now()
    begins = clock.from_unix(0) if since is None else _moment(since)

    def work(tx: Transaction) -> Page[Uncompared]:
        identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return price_drift.list_uncompared(tx, since=begins, limit=limit, cursor=cursor)

    page = db.transact(work)
    return UncomparedList(items=[uncompared_view(found) for found in page.items], next_cursor=page.next_cursor)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        known = None if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        known = None
    if known is None:
        wrong = FieldError("query.since", "A time with its zone, such as 2026-01-31T00:00:00Z.")
        raise RequestInvalid("Some fields of the request are not valid.", errors=(wrong,))
    return known


def _view(invoice: InvoiceStatement, *, with_lines: bool) -> InvoiceView:
    biller = Biller.STRIPE if invoice.collects is None else Biller.CONTRACT
    return InvoiceView(
        invoice_id=invoice.invoice_id,
        customer_sid=invoice.customer_sid,
        subscription_id=invoice.subscription_id,
        invoice_number=invoice.invoice_number,
        status=invoice.status,
        currency=invoice.currency,
        amount_due=invoice.amount_due,
        amount_paid=invoice.amount_paid,
        amount_remaining=invoice.amount_remaining,
        total=invoice.total,
        attempt_count=invoice.attempt_count,
        billing_reason=invoice.billing_reason,
        collection_method=invoice.collection_method,
        created_at=clock.to_wire(invoice.created_at),
        due_at=invoice.due_at and clock.to_wire(invoice.due_at),
        next_attempt_at=invoice.next_attempt_at and clock.to_wire(invoice.next_attempt_at),
        finalized_at=invoice.finalized_at and clock.to_wire(invoice.finalized_at),
        paid_at=invoice.paid_at and clock.to_wire(invoice.paid_at),
        collects=invoice.collects,
        lines=[_line(line, biller) for line in invoice.lines] if with_lines else None,
    )


def _line(line: InvoiceLine, biller: Biller) -> InvoiceLineView:
    return InvoiceLineView(
        biller=biller,
        line_id=line.line_id,
        price_id=line.price_id,
        description=line.description,
        quantity=line.quantity,
        amount_minor=line.amount,
        currency=line.currency,
        proration=line.proration,
        period_start=clock.to_wire(line.period_start),
        period_end=clock.to_wire(line.period_end),
    )


handler = http.entrypoint(app)
