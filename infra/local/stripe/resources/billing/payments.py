"""One attempt to pay an invoice: which card, how it ends, and the intent and charge that show it."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.cards import NOT_AUTHENTICATED, Decline, Outcome, card_of
from infra.local.stripe.listing import list_object
from infra.local.stripe.resources import payment_intents
from infra.local.stripe.resources.billing.status import subscription_of
from infra.local.stripe.store import Object, new_id


def method_for(account: Account, invoice: Object) -> Object | None:
    """Return what an invoice is charged to: its own method, else its subscription's, else its customer's."""
    customer = account.store.get("customer", invoice["customer"])
    subscription = subscription_of(account, invoice)
    return first_usable(account, customer, invoice, subscription)


def first_usable(account: Account, customer: Object, *holders: Object | None) -> Object | None:
    """Return the first default that is still attached to the customer."""
    if customer.get("deleted"):
        return None
    named = [holder["default_payment_method"] for holder in holders if holder is not None]
    for identifier in (*named, customer["invoice_settings"]["default_payment_method"]):
        method = account.store.find(identifier) if identifier else None
        if method is not None and method["customer"] == customer["id"]:
            return method
    return None


def outcome_of(account: Account, method: Object, *, off_session: bool) -> Outcome:
    """Tell how charging a card ends; what the control API says of its customer comes first."""
    card = card_of(method["card"]["fingerprint"])
    forced = account.billing.cards.get(method["customer"] or "")
    return forced or (card.renewal if off_session else card.outcome)


def decline_of(method: Object) -> Decline:
    """Tell why a card is declined."""
    return card_of(method["card"]["fingerprint"]).decline


def open_payment(account: Account, invoice: Object) -> None:
    """Give a finalized invoice the intent that its attempts share."""
    intent = payment_intents.add(
        account,
        amount=invoice["amount_remaining"],
        currency=invoice["currency"],
        customer=invoice["customer"],
        details={"description": _description(invoice)},
    )
    payment: Object = {
        "id": new_id("invoice_payment"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": intent["amount"],
        "created": account.clock.now(),
        "currency": intent["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    account.store.add(payment)
    invoice["payments"] = list_object([payment], invoice["payments"]["url"])
    invoice["confirmation_secret"] = {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _description(invoice: Object) -> str:
    words = {"subscription_create": "Subscription creation", "subscription_update": "Subscription update"}
    return words.get(invoice["billing_reason"], f"Payment for Invoice {invoice['number']}")


def payment_of(invoice: Object) -> Object | None:
    """Return the payment that an invoice waits for or was paid with."""
    found: Object | None = next(iter(invoice["payments"]["data"]), None)
    return found


def intent_of(account: Account, invoice: Object) -> Object | None:
    """Return the intent behind an invoice's payment."""
    payment = payment_of(invoice)
    return None if payment is None else account.store.get("payment_intent", payment["payment"]["payment_intent"])


def invoice_of(account: Account, intent: Object) -> Object | None:
    """Return the invoice that an intent pays."""
    for payment in account.store.newest_first("invoice_payment"):
        if payment["payment"]["payment_intent"] == intent["id"]:
            return account.store.get("invoice", payment["invoice"])
    return None


def attempt(
    account: Account, intent: Object, method: Object, *, off_session: bool, outcome: Outcome | None = None
) -> Outcome:
    """Try one card, unless the hosted page tried it already; the intent tells afterwards what happened."""
    outcome = outcome or outcome_of(account, method, off_session=off_session)
    if outcome is Outcome.PAYS:
        payment_intents.succeed(account, intent, method)
    elif outcome is Outcome.ASKS and not off_session:
        payment_intents.ask(account, intent, method)
    else:
        decline = NOT_AUTHENTICATED if outcome is Outcome.ASKS else decline_of(method)
        payment_intents.fail(account, intent, method, decline)
    return outcome


def close_payment(account: Account, invoice: Object, *, paid: bool) -> None:
    """Write on the invoice's payment how it ended."""
    payment, now = payment_of(invoice), account.clock.now()
    if payment is None or payment["status"] != "open":
        return
    if not paid:
        payment["status"], payment["status_transitions"]["canceled_at"] = "canceled", now
        return
    payment["status"], payment["amount_paid"] = "paid", payment["amount_requested"]
    payment["status_transitions"]["paid_at"] = now
    account.journal.record("invoice_payment.paid", payment)
