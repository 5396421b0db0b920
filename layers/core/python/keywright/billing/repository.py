"""Rows of ``subscriptions``, ``subscription_items``, ``invoices``, ``invoice_lines`` and ``invoice_payments``."""

from __future__ import annotations

import json

from keywright.billing.models import Bill, Failure, Invoice, Observation, Subscription
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def ensure_subscription(tx: Transaction, subscription: Subscription, *, customer_sid: str, domain_sid: str) -> None:
    """Insert the subscription's row unless it is there, and set whose it is."""
    owner = {"subscription_id": subscription.subscription_id, "customer_sid": customer_sid, "domain_sid": domain_sid}
    tx.run(_sql.ensure_subscription, **owner, created_at=subscription.created_at)
    tx.run(_sql.set_owner, **owner)


def save_subscription(tx: Transaction, subscription: Subscription, observation: Observation) -> None:
    """Set the row and the items; items that the subscription no longer has go."""
    fields = {name: value for name, value in vars(subscription).items() if name not in {"items", "all_items"}}
    tx.run(
        _sql.set_subscription, **{**fields, "metadata": json.dumps(dict(subscription.metadata))}, **vars(observation)
    )
    item_ids = [item.item_id for item in subscription.items]
    tx.run(_sql.remove_items, subscription_id=subscription.subscription_id, item_ids=item_ids or [""])
    tx.run_many(
        _sql.save_item,
        [
            {
                "subscription_id": subscription.subscription_id,
                **{name: value for name, value in vars(item).items() if name != "created_at"},
            }
            for item in subscription.items
        ],
    )


def save_invoice(
    tx: Transaction, invoice: Invoice, observation: Observation, failure: Failure, *, customer_sid: str
) -> None:
    """Insert or set the invoice's row, with its lines and the payments that it names."""
    kept = {"stripe_customer_id", "lines", "payment_ids", "metadata", "all_lines"}
    fields = {name: value for name, value in vars(invoice).items() if name not in kept}
    tx.run(_sql.save_invoice, customer_sid=customer_sid, **fields, **vars(failure), **vars(observation))
    tx.run(_sql.remove_lines, invoice_id=invoice.invoice_id)
    tx.run_many(_sql.add_line, [{"invoice_id": invoice.invoice_id, **vars(line)} for line in invoice.lines])
    for payment_id in invoice.payment_ids:
        link_payment(tx, invoice_id=invoice.invoice_id, payment_id=payment_id)


def remove_invoice(tx: Transaction, *, invoice_id: str) -> None:
    """Remove a draft that Stripe deleted."""
    tx.run(_sql.remove_lines, invoice_id=invoice_id)
    tx.run(_sql.remove_invoice, invoice_id=invoice_id)


def link_payment(tx: Transaction, *, invoice_id: str, payment_id: str) -> None:
    """Note that an invoice is paid, or to be paid, by this intent or charge."""
    tx.run(_sql.link_payment, invoice_id=invoice_id, payment_id=payment_id)


def list_bills(tx: Transaction, *, subscription_id: str) -> list[Bill]:
    """Return a subscription's invoices, the oldest first."""
    rows = tx.all(_sql.list_bills, subscription_id=subscription_id)
    flags = ("attempted", "awaits_customer")
    return [Bill(**{**row, **{flag: bool(row[flag]) for flag in flags}}) for row in reversed(rows)]


def find_subscription_of_invoice(tx: Transaction, *, invoice_id: str) -> str | None:
    """Return the subscription that an invoice is for, as far as it is known."""
    row = tx.one(_sql.find_subscription_of_invoice, invoice_id=invoice_id)
    return None if row is None else row["subscription_id"]


def find_subscription_of_item(tx: Transaction, *, item_id: str) -> Row | None:
    """Return the subscription that has the item, and Stripe's customer of it."""
    return tx.one(_sql.find_subscription_of_item, item_id=item_id)
