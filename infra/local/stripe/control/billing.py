"""The control API's part for time and collection: the test clock, the dunning settings, how cards behave."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.billing_settings import AFTER_RETRIES
from infra.local.stripe.cards import Outcome
from infra.local.stripe.control.requests import Body, number, text, word
from infra.local.stripe.errors import invalid
from infra.local.stripe.resources import invoice_payments

_OUTCOMES = {"pay": Outcome.PAYS, "decline": Outcome.DECLINES, "authenticate": Outcome.ASKS}


def show_clock(account: Account, _: Body) -> dict[str, Any]:
    """Show the time, and when the next thing is due."""
    return {"now": account.clock.now(), "next_due": account.agenda.next_due()}


def move_clock(account: Account, body: Body) -> dict[str, Any]:
    """Move time forward, by seconds or to a moment; all that falls due on the way happens at its own time."""
    now = account.clock.now()
    seconds = number(body, "to", now) - now if "to" in body else number(body, "advance_s", 0)
    if seconds < 0:
        raise invalid("A clock only moves forward.", param="to")
    account.clock.advance(seconds)
    account.agenda.run_due()
    return show_clock(account, body)


def settle(account: Account, body: Body) -> dict[str, Any]:
    """Change how the account collects: its retries, what follows the last one, the hour that drafts wait."""
    billing = account.billing
    if "retry_days" in body:
        days = body["retry_days"]
        if not isinstance(days, list) or not all(isinstance(wait, int) and wait > 0 for wait in days):
            raise invalid("retry_days is a list of positive whole numbers.", param="retry_days")
        billing.retry_days = tuple(days)
    if "after_retries" in body:
        billing.after_retries = word(body, "after_retries", AFTER_RETRIES)
    billing.finalize_after_s = number(body, "finalize_after_s", billing.finalize_after_s)
    return {
        "retry_days": list(billing.retry_days),
        "after_retries": billing.after_retries,
        "finalize_after_s": billing.finalize_after_s,
    }


def change_cards(account: Account, body: Body) -> dict[str, Any]:
    """Make every card of a customer pay, decline or ask from now on, or behave as its number says again."""
    customer = account.store.get("customer", text(body, "customer"), param="customer")
    behavior = word(body, "behavior", (*_OUTCOMES, "normal"))
    account.billing.cards.pop(customer["id"], None)
    if behavior in _OUTCOMES:
        account.billing.cards[customer["id"]] = _OUTCOMES[behavior]
    return {"customer": customer["id"], "behavior": behavior}


def configure_portal(account: Account, body: Body) -> dict[str, Any]:
    """Take away or give back the portal's default configuration, which is made in the dashboard only."""
    account.has_portal_default = word(body, "default", ("none", "there")) == "there"
    return {"default": "there" if account.has_portal_default else "none"}


def authenticate(account: Account, identifier: str, body: Body) -> dict[str, Any]:
    """End the authentication that a payment intent waits for."""
    intent = account.store.get("payment_intent", identifier)
    outcome = word(body, "outcome", ("succeed", "fail"), "succeed")
    invoice_payments.authenticate(account, intent, Outcome.PAYS if outcome == "succeed" else Outcome.DECLINES)
    return {"payment_intent": identifier, "status": intent["status"]}
