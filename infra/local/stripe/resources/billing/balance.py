"""The customer's balance: credit below zero, debt above it, and a transaction for each change."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.store import Object, new_id


def adjust(
    account: Account,
    customer: Object,
    amount: int,
    *,
    kind: str,
    invoice: Object | None = None,
    currency: str | None = None,
    description: str | None = None,
) -> Object:
    """Change the balance; the caller announces the customer's update."""
    customer["balance"] += amount
    transaction: Object = {
        "id": new_id("customer_balance_transaction"),
        "object": "customer_balance_transaction",
        "amount": amount,
        "checkout_session": None,
        "created": account.clock.now(),
        "credit_note": None,
        "currency": invoice["currency"] if invoice else currency,
        "customer": customer["id"],
        "customer_account": None,
        "description": description,
        "ending_balance": customer["balance"],
        "invoice": invoice["id"] if invoice else None,
        "livemode": False,
        "metadata": {},
        "type": kind,
    }
    return account.store.add(transaction)
