"""Rows of ``subscriptions``, ``subscription_items`` and ``invoices``."""

from __future__ import annotations

from keywright.billing.models import Invoice, Observation, Standing, Subscription
from keywright.platform import sql
from keywright.platform.db import Transaction

_sql = sql.load(__file__)


def lock_subscription(
    tx: Transaction, subscription: Subscription, *, customer_sid: str, domain_sid: str
) -> Standing | None:
    """Return what set the subscription's row, locked; None if this is the first observation of it."""
    tx.run(
        _sql.ensure_subscription,
        subscription_id=subscription.subscription_id,
        customer_sid=customer_sid,
        domain_sid=domain_sid,
        created_at=subscription.created_at,
    )
    row = tx.one(_sql.lock_subscription, subscription_id=subscription.subscription_id)
    return Standing(**row) if row is not None and row["observed_by"] else None


def save_subscription(tx: Transaction, subscription: Subscription, observation: Observation) -> None:
    """Set the row, which the caller has locked, and the items."""
    fields = {name: value for name, value in vars(subscription).items() if name != "items"}
    tx.run(_sql.set_subscription, **fields, **_stamp(observation))
    tx.run_many(
        _sql.save_item,
        [{"subscription_id": subscription.subscription_id, **vars(item)} for item in subscription.items],
    )


def lock_invoice(tx: Transaction, *, invoice_id: str) -> Standing | None:
    """Return what set the invoice's row, locked; None if there is none."""
    row = tx.one(_sql.lock_invoice, invoice_id=invoice_id)
    return None if row is None else Standing(**row)


def save_invoice(tx: Transaction, invoice: Invoice, observation: Observation, *, customer_sid: str) -> None:
    """Insert or set the invoice's row."""
    tx.run(_sql.save_invoice, customer_sid=customer_sid, **vars(invoice), **_stamp(observation))


def _stamp(observation: Observation) -> dict[str, object]:
    return {"observed_at": observation.observed_at, "observed_by": observation.observed_by}
