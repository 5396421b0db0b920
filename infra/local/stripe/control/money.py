"""The control API's part for what banks do: take days to pay, dispute a charge, decide a dispute, refuse a refund."""

from __future__ import annotations

from typing import Any

from infra.local.stripe import checkout
from infra.local.stripe.account import Account
from infra.local.stripe.control.requests import Body, number, text, word
from infra.local.stripe.resources import disputes, refunds


def delay_payments(account: Account, body: Body) -> dict[str, Any]:
    """Have banks take days over what is paid once from now on, as they do over direct debits."""
    account.delays_payments = word(body, "payments", ("delayed", "immediate")) == "delayed"
    return {"payments": "delayed" if account.delays_payments else "immediate"}


def settle_session(account: Account, identifier: str, body: Body) -> dict[str, Any]:
    """Decide about the delayed payment of a completed Checkout Session."""
    session = account.store.get("checkout.session", identifier)
    checkout.settle(account, session, paid=word(body, "outcome", ("succeed", "fail"), "succeed") == "succeed")
    return {"checkout_session": identifier, "payment_status": session["payment_status"]}


def open_dispute(account: Account, body: Body) -> dict[str, Any]:
    """Have a customer's bank dispute a charge."""
    charge = account.store.get("charge", text(body, "charge"), param="charge")
    amount = number(body, "amount", charge["amount"], least=1, most=charge["amount"])
    return disputes.add(account, charge, amount, word(body, "reason", disputes.REASONS, "fraudulent"))


def close_dispute(account: Account, identifier: str, body: Body) -> dict[str, Any]:
    """Decide a dispute."""
    dispute = account.store.get("dispute", identifier)
    return disputes.decide(account, dispute, word(body, "status", ("won", "lost"), "lost"))


def fail_refund(account: Account, identifier: str, _: Body) -> dict[str, Any]:
    """Have the bank send a refund back, as happens when the card's account is closed."""
    return refunds.fail(account, account.store.get("refund", identifier))
