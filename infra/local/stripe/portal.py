"""
What a customer does on the billing portal's page: cancel, take it back, and change the card.

Changes go through the same functions as those of the API, so they have the same effects and the same events.
"""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.cards import find_card
from infra.local.stripe.errors import invalid
from infra.local.stripe.forms import Form
from infra.local.stripe.resources import payment_methods, subscriptions
from infra.local.stripe.routing import Call
from infra.local.stripe.store import Object


def subscriptions_of(account: Account, session: Object) -> list[Object]:
    """Return the subscriptions of the session's customer that have not ended."""
    return [
        value
        for value in account.store.newest_first("subscription")
        if value["customer"] == session["customer"] and value["status"] not in ("canceled", "incomplete_expired")
    ]


def invoices_of(account: Account, session: Object) -> list[Object]:
    """Return the customer's invoices that are not drafts."""
    return [
        value
        for value in account.store.newest_first("invoice")
        if value["customer"] == session["customer"] and value["status"] != "draft"
    ]


def act(account: Account, session: Object, form: Form) -> str:
    """Do what a form asks for; return what to tell the customer, or refuse what the configuration does not allow."""
    action = form.get("action")
    features = account.store.get("billing_portal.configuration", session["configuration"])["features"]
    if action in ("cancel", "resume"):
        _require(features["subscription_cancel"]["enabled"])
        return _cancel_or_resume(account, session, form, features["subscription_cancel"]["mode"])
    if action == "card":
        _require(features["payment_method_update"]["enabled"])
        return _change_card(account, session, str(form.get("card", "")))
    raise invalid("There is no such action.")


def _require(allowed: object) -> None:
    if not allowed:
        raise invalid("The portal's configuration does not allow this.")


def _cancel_or_resume(account: Account, session: Object, form: Form, mode: str) -> str:
    own = {subscription["id"] for subscription in subscriptions_of(account, session)}
    identifier = form.get("subscription")
    if identifier not in own:
        raise invalid("There is no such subscription.")
    names, path = {"subscription": str(identifier)}, f"/v1/subscriptions/{identifier}"
    if form["action"] == "resume":
        subscriptions.update(account, Call(path, names, {"cancel_at": None}))
        return "Your subscription goes on."
    if mode == "immediately":
        subscriptions.cancel(account, Call(path, names, {}))
        return "Your subscription has ended."
    # In Stripe's flexible billing mode, that of all new subscriptions, its pages name the day and leave the flag alone.
    items = account.store.get("subscription", str(identifier))["items"]["data"]
    ends = max(item["current_period_end"] for item in items)
    subscriptions.update(account, Call(path, names, {"cancel_at": ends}))
    return "Your subscription ends with the period that is paid."


def _change_card(account: Account, session: Object, typed: str) -> str:
    card = find_card(typed)
    if card is None:
        raise invalid("Your card number is invalid.")
    customer = account.store.get("customer", session["customer"])
    method = payment_methods.add(account, card, customer, customer["email"])
    with account.journal.changing(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    for subscription in subscriptions_of(account, session):
        with account.journal.changing(subscription, "customer.subscription.updated"):
            if subscription["default_payment_method"] is not None:
                subscription["default_payment_method"] = method["id"]
    return f"The card that ends in {card.last4} will be charged from now on."
