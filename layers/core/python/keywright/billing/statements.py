"""Subscriptions and invoices as their owners and staff read them: from the mirror, and from nowhere else."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime

from keywright.billing import statement_repository as repository
from keywright.billing.models import InvoiceLine
from keywright.platform import clock, paging
from keywright.platform.db import Transaction
from keywright.platform.errors import NotFound
from keywright.platform.paging import CursorInvalid, Page


@dataclass(frozen=True)
class ItemStatement:
    """One price of a subscription, the period that is running, and the product, as far as it is known."""

    item_id: str
    price_id: str
    quantity: int | None
    current_period_start: datetime
    current_period_end: datetime
    product_id: str | None = None
    product_name: str | None = None


@dataclass(frozen=True)
class SubscriptionStatement:
    """A subscription, whose it is and what for."""

    subscription_id: str
    customer_sid: str
    domain_sid: str
    domain_name: str
    status: str
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    trial_end: datetime | None
    pause_behavior: str | None
    latest_invoice_id: str | None
    created_at: datetime
    items: tuple[ItemStatement, ...] = ()


@dataclass(frozen=True)
class InvoiceStatement:
    """
    An invoice; amounts are minor units of its currency. ``lines`` are there only where one invoice is asked for.

    ``collects`` is the contract's invoice whose amount Stripe collects by this one: the two are one debt.
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
    created_at: datetime
    due_at: datetime | None
    next_attempt_at: datetime | None
    finalized_at: datetime | None
    paid_at: datetime | None
    collects: str | None = None
    lines: tuple[InvoiceLine, ...] = ()


@dataclass(frozen=True)
class SubscriptionFilter:
    """Which subscriptions a list holds; None leaves a field open, and only staff may leave the customer open."""

    customer_sid: str | None
    status: str | None = None
    domain_sid: str | None = None


@dataclass(frozen=True)
class InvoiceFilter:
    """Which invoices a list holds; None leaves a field open, and only staff may leave the customer open."""

    customer_sid: str | None
    status: str | None = None
    subscription_id: str | None = None


class SubscriptionNotFound(NotFound):
    """There is no such subscription, or it belongs to somebody else."""

    code = "subscription-not-found"
    title = "There is no such subscription"


class InvoiceNotFound(NotFound):
    """There is no such invoice, or it belongs to somebody else."""

    code = "invoice-not-found"
    title = "There is no such invoice"


def list_subscriptions(
    tx: Transaction, *, wanted: SubscriptionFilter, limit: int, cursor: str | None
) -> Page[SubscriptionStatement]:
    """
    Return a page, newest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    rows = repository.list_subscriptions(tx, **vars(wanted), **_place(cursor), limit=limit + 1)
    found = [_subscription(row) for row in rows]
    page = paging.page(found, limit=limit, key=lambda item: _key(item.created_at, item.subscription_id))
    items: dict[str, list[ItemStatement]] = {}
    for row in repository.list_items(tx, subscription_ids=[item.subscription_id for item in page.items]):
        items.setdefault(row.pop("subscription_id"), []).append(ItemStatement(**row))
    full = [replace(item, items=tuple(items.get(item.subscription_id, ()))) for item in page.items]
    return Page(full, page.next_cursor)


def get_subscription(tx: Transaction, *, customer_sid: str | None, subscription_id: str) -> SubscriptionStatement:
    """
    Return a subscription of the customer's; without a customer, for staff, anybody's.

    :raises SubscriptionNotFound: if there is none, or it is another customer's: the two answer alike
    """
    row = repository.find_subscription(tx, customer_sid=customer_sid, subscription_id=subscription_id)
    if row is None:
        raise SubscriptionNotFound("There is no such subscription.")
    rows = repository.list_items(tx, subscription_ids=[subscription_id])
    items = tuple(
        ItemStatement(**{name: value for name, value in item.items() if name != "subscription_id"}) for item in rows
    )
    return replace(_subscription(row), items=items)


def find_trial_end(tx: Transaction, *, subscription_id: str) -> datetime | None:
    """Return when the trial of a subscription ends or ended."""
    row = repository.find_subscription(tx, customer_sid=None, subscription_id=subscription_id)
    return None if row is None else row["trial_end"]


def find_currency(tx: Transaction, *, subscription_id: str) -> str | None:
    """Return the currency that a subscription is paid in, as its invoices tell; None before there is one."""
    wanted = InvoiceFilter(customer_sid=None, subscription_id=subscription_id)
    found = list_invoices(tx, wanted=wanted, limit=1, cursor=None).items
    return found[0].currency if found else None


def list_invoices(tx: Transaction, *, wanted: InvoiceFilter, limit: int, cursor: str | None) -> Page[InvoiceStatement]:
    """
    Return a page, newest first, without the lines.

    :raises CursorInvalid: if the cursor is none of ours
    """
    rows = repository.list_invoices(tx, **vars(wanted), **_place(cursor), limit=limit + 1)
    found = [InvoiceStatement(**row) for row in rows]
    return paging.page(found, limit=limit, key=lambda item: _key(item.created_at, item.invoice_id))


def get_invoice(tx: Transaction, *, customer_sid: str | None, invoice_id: str) -> InvoiceStatement:
    """
    Return an invoice of the customer's with its lines; without a customer, for staff, anybody's.

    :raises InvoiceNotFound: if there is none, or it is another customer's: the two answer alike
    """
    row = repository.find_invoice(tx, customer_sid=customer_sid, invoice_id=invoice_id)
    if row is None:
        raise InvoiceNotFound("There is no such invoice.")
    lines = repository.list_lines(tx, invoice_id=invoice_id)
    return InvoiceStatement(
        **row, lines=tuple(InvoiceLine(**{**line, "proration": bool(line["proration"])}) for line in lines)
    )


def _subscription(row: repository.Row) -> SubscriptionStatement:
    return SubscriptionStatement(**{**row, "cancel_at_period_end": bool(row["cancel_at_period_end"])})


def _key(created_at: datetime, sid: str) -> str:
    # Stripe's ids do not rise with time, so that the cursor names the moment too.
    return f"{clock.to_unix(created_at)}:{base64.b32encode(sid.encode()).decode()}"


def _place(cursor: str | None) -> dict[str, object]:
    last = paging.decode(cursor)
    if not last:
        return {"before_at": None, "before_id": None}
    try:
        moment, _, name = last.partition(":")
        return {"before_at": clock.from_unix(int(moment)), "before_id": base64.b32decode(name).decode("ascii")}
    except (ValueError, OverflowError, OSError) as problem:
        raise CursorInvalid("The cursor is not valid; start again without one.") from problem
