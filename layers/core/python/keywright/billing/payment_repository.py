"""Rows of ``payment_intents``, ``charges``, ``payment_methods``, ``refunds`` and ``disputes``."""

from __future__ import annotations

from keywright.billing.models import Charge, Dispute, Observation, PaymentIntent, PaymentMethod, Refund, Setback
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def save_payment_intent(tx: Transaction, intent: PaymentIntent, observation: Observation, *, customer_sid: str) -> None:
    """Insert or set the row of an intent."""
    fields = {name: value for name, value in vars(intent).items() if name != "metadata"}
    tx.run(_sql.save_payment_intent, customer_sid=customer_sid, **fields, **vars(observation))


def save_charge(tx: Transaction, charge: Charge, observation: Observation, *, customer_sid: str) -> None:
    """Insert or set the row of a charge."""
    fields = {name: value for name, value in vars(charge).items() if name != "metadata"}
    tx.run(_sql.save_charge, customer_sid=customer_sid, **fields, **vars(observation))


def save_payment_method(tx: Transaction, method: PaymentMethod, observation: Observation, *, customer_sid: str) -> None:
    """Insert or set the row of a payment method."""
    tx.run(_sql.save_payment_method, customer_sid=customer_sid, **vars(method), **vars(observation))


def save_refund(tx: Transaction, refund: Refund, observation: Observation) -> None:
    """Insert or set the row of a refund, whose charge must be there."""
    tx.run(_sql.save_refund, **vars(refund), **vars(observation))


def save_dispute(tx: Transaction, dispute: Dispute, observation: Observation) -> None:
    """Insert or set the row of a dispute, whose charge must be there."""
    tx.run(_sql.save_dispute, **vars(dispute), **vars(observation))


def find_charge(tx: Transaction, *, charge_id: str) -> Row | None:
    """Return whose charge it is and what it paid; None if it was not seen."""
    return tx.one(_sql.find_charge, charge_id=charge_id)


def list_subscriptions_paid_by(tx: Transaction, *, payment_ids: list[str], invoice_id: str | None) -> list[str]:
    """Return the subscriptions whose invoices these payments are for."""
    rows = tx.all(_sql.list_subscriptions_paid_by, payment_ids=payment_ids or [""], invoice_id=invoice_id)
    return [row["subscription_id"] for row in rows]


def list_setbacks_of_subscription(tx: Transaction, *, subscription_id: str) -> list[Setback]:
    """Return the disputes and refunds of what was paid for a subscription."""
    return _setbacks(tx, tx.all(_sql.list_charges_for_subscription, subscription_id=subscription_id))


def list_setbacks_of_intent(tx: Transaction, *, payment_intent_id: str) -> list[Setback]:
    """Return the disputes and refunds of one payment."""
    return _setbacks(tx, tx.all(_sql.list_charges_for_intent, payment_intent_id=payment_intent_id))


def _setbacks(tx: Transaction, charges: list[Row]) -> list[Setback]:
    by_id = {charge["charge_id"]: charge for charge in charges}
    if not by_id:
        return []
    refunds = tx.all(_sql.list_refunds, charge_ids=list(by_id))
    disputes = tx.all(_sql.list_disputes, charge_ids=list(by_id))
    # Where no refund was seen itself, the charge says how much of it was given back.
    told = {row["charge_id"] for row in refunds}
    implied = [
        {"charge_id": key, "refund_id": key, "status": "succeeded", "amount": charge["amount_refunded"]}
        for key, charge in by_id.items()
        if charge["amount_refunded"] and key not in told and "created_at" in charge
    ]
    for row in implied:
        row["created_at"] = by_id[row["charge_id"]]["created_at"]
    return [
        *(_setback("refund", row, by_id) for row in (*refunds, *implied)),
        *(_setback("dispute", row, by_id) for row in disputes),
    ]


def _setback(kind: str, row: Row, charges: dict[str, Row]) -> Setback:
    charge = charges[row["charge_id"]]
    return Setback(
        kind=kind,
        setback_id=row[f"{kind}_id"],
        status=row["status"],
        amount=row["amount"],
        charge_amount=charge["amount_captured"],
        at=row["created_at"],
        invoice_created_at=charge.get("invoice_created_at"),
    )
