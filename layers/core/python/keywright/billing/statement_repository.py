"""Reads rows of ``subscriptions`` and ``invoices`` for their owners and for staff. It writes nothing."""

from __future__ import annotations

from keywright.platform import sql
from keywright.platform.db import Row as Row  # noqa: PLC0414  (what these functions return)
from keywright.platform.db import Transaction

_sql = sql.load(__file__)


def list_subscriptions(tx: Transaction, **wanted: object) -> list[Row]:
    """Return a page of subscriptions, newest first."""
    return tx.all(_sql.list_subscriptions_of, **wanted)


def find_subscription(tx: Transaction, *, customer_sid: str | None, subscription_id: str) -> Row | None:
    """Return a subscription, of the customer's if one is named."""
    return tx.one(_sql.find_subscription_of, customer_sid=customer_sid, subscription_id=subscription_id)


def list_items(tx: Transaction, *, subscription_ids: list[str]) -> list[Row]:
    """Return the items of subscriptions."""
    return tx.all(_sql.list_items_of, subscription_ids=subscription_ids) if subscription_ids else []


def list_invoices(tx: Transaction, **wanted: object) -> list[Row]:
    """Return a page of invoices, newest first."""
    return tx.all(_sql.list_invoices_of, **wanted)


def find_invoice(tx: Transaction, *, customer_sid: str | None, invoice_id: str) -> Row | None:
    """Return an invoice, of the customer's if one is named."""
    return tx.one(_sql.find_invoice_of, customer_sid=customer_sid, invoice_id=invoice_id)


def list_lines(tx: Transaction, *, invoice_id: str) -> list[Row]:
    """Return the lines of an invoice."""
    return tx.all(_sql.list_lines_of, invoice_id=invoice_id)
