"""
What happens when a person pays on the hosted page: the chain from card to completed session.

This is the one place that ties customers, payments, subscriptions and invoices together. It knows no HTTP and no HTML.
"""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.cards import Card, Decline, Outcome
from infra.local.stripe.errors import invalid
from infra.local.stripe.resources import (
    customers,
    payment_intents,
    payment_methods,
)
from infra.local.stripe.resources.billing import creation
from infra.local.stripe.store import Object


def complete(account: Account, session: Object, card: Card, email: str | None) -> None:
    """Pay an open session with a card that pays."""
    customer = _customer(account, session, email)
    details = account.checkout_data[session["id"]]
    method = payment_methods.add(account, card, customer, _email(session, customer, email))
    if session["mode"] == "subscription":
        if customer is None:
            message = "a subscription session always has a customer"
            raise AssertionError(message)
        _subscribe(account, session, customer, method, details)
    elif session["amount_total"]:
        intent = _intent(account, session, customer, details)
        pay = payment_intents.process if account.delays_payments else payment_intents.succeed
        pay(account, intent, method)
        session["payment_intent"] = intent["id"]
    _close(account, session, customer, _email(session, customer, email))


def decline(account: Account, session: Object, card: Card, email: str | None) -> None:
    """Try a card that is declined: the attempt is on record, the session stays open."""
    if not session["amount_total"]:
        return
    customer = account.store.find(session["customer"]) if session["customer"] else None
    method = payment_methods.add(account, card, None, _email(session, customer, email))
    intent = _intent(account, session, customer, account.checkout_data[session["id"]])
    if session["mode"] == "payment":
        session["payment_intent"] = intent["id"]
    payment_intents.fail(account, intent, method, card.decline)


def settle(account: Account, session: Object, *, paid: bool) -> None:
    """Have the bank decide about the payment that a completed session waits for."""
    intent = account.store.find(session["payment_intent"]) if session["payment_intent"] else None
    if session["status"] != "complete" or intent is None or intent["status"] != "processing":
        raise invalid("The session waits for no payment.")
    method = account.store.get("payment_method", intent["payment_method"])
    if paid:
        payment_intents.succeed(account, intent, method)
        session["payment_status"] = "paid"
    else:
        payment_intents.fail(account, intent, method, Decline())
    account.journal.record(f"checkout.session.async_payment_{'succeeded' if paid else 'failed'}", session)


def _customer(account: Account, session: Object, email: str | None) -> Object | None:
    if session["customer"]:
        return account.store.get("customer", session["customer"], param="customer")
    if session["mode"] == "payment" and session["customer_creation"] != "always":
        return None
    customer = customers.add(account, {"email": session["customer_email"] or email})
    session["customer"] = customer["id"]
    return customer


def _email(session: Object, customer: Object | None, typed: str | None) -> str | None:
    return (customer["email"] if customer else None) or session["customer_email"] or typed


def _intent(account: Account, session: Object, customer: Object | None, details: Object) -> Object:
    """Return the intent that an earlier, declined card left open, or a new one."""
    if session["payment_intent"]:
        return account.store.get("payment_intent", session["payment_intent"])
    return payment_intents.add(
        account,
        amount=session["amount_total"],
        currency=session["currency"],
        customer=customer["id"] if customer else None,
        details=details if session["mode"] == "payment" else {},
    )


def _subscribe(account: Account, session: Object, customer: Object, method: Object, details: Object) -> None:
    sold = session["line_items"]["data"]
    subscription = creation.begin(
        account,
        customer=customer,
        items=[_bought(item) for item in sold if item["price"]["recurring"]],
        extras=[_bought(item) for item in sold if not item["price"]["recurring"]],
        currency=session["currency"],
        details={**details, "default_payment_method": method["id"]},
        known=Outcome.PAYS,
    )
    session["subscription"], session["invoice"] = subscription["id"], subscription["latest_invoice"]


def _bought(line_item: Object) -> Object:
    return {"price": line_item["price"], "quantity": line_item["quantity"]}


def _close(account: Account, session: Object, customer: Object | None, email: str | None) -> None:
    session["customer_details"] = {
        "address": customer["address"] if customer else None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": customer["name"] if customer else None,
        "phone": customer["phone"] if customer else None,
        "tax_exempt": customer["tax_exempt"] if customer else "none",
        "tax_ids": [],
    }
    waits = session["mode"] == "payment" and account.delays_payments
    paid = "unpaid" if waits else "paid"
    session["payment_status"] = paid if session["amount_total"] else "no_payment_required"
    session["status"] = "complete"
    session["url"] = None
    account.journal.record("checkout.session.completed", session)
