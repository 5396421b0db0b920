"""Lists what Stripe has, a page at a time. Called from jobs only, outside any transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from keywright.billing import gateway as billing
from keywright.platform import stripe_client
from keywright.platform.clock import to_unix
from keywright.reconciliation import rules
from keywright.reconciliation.models import Page

_PAGE = 100  # the most that Stripe lists at once
_METHOD = "default_payment_method"
_MOST_LONG = 40  # how many requests for the lines or items of one object a page is worth


def list_events(*, since: datetime | None, after: str | None, asked_at: datetime) -> Page:
    """
    Return Stripe's events of a window, the newest first; ``after`` is the last one of the page before.

    :raises StripeUnavailable: if Stripe does not answer
    """
    wanted: dict[str, Any] = {"limit": _PAGE}
    if since is not None:
        wanted["created"] = {"gte": to_unix(since)}
    with stripe_client.outages_named():
        listed = stripe_client.client().v1.events.list(_after(wanted, after))  # type: ignore[arg-type]
    subjects = [event.to_dict() for event in listed.data]
    return Page(subjects, asked_at, subjects[-1]["id"] if listed.has_more and subjects else None)


def list_objects(cursor: str | None, *, since: datetime, asked_at: datetime, most_long: int = _MOST_LONG) -> Page:
    """
    Return a page of what the object sweep compares, and the cursor behind it.

    Invoices come with all of their lines, subscriptions with all of their items; after ``most_long`` of those that took
    requests of their own a page ends.

    ``since`` bounds what there is ever more of; products, prices and subscriptions are compared however old they are.

    :raises StripeUnavailable: if Stripe does not answer
    """
    object_type, after = rules.place_of(cursor)
    v1 = stripe_client.client().v1
    recent: dict[str, Any] = {"created": {"gte": to_unix(since)}}
    listing: dict[str, tuple[Any, dict[str, Any]]] = {
        "product": (v1.products.list, {}),
        "price": (v1.prices.list, {"expand": ["data.tiers", "data.currency_options"]}),
        # Ended ones too: the mirror may not know yet that they ended.
        "subscription": (v1.subscriptions.list, {"status": "all"}),
        "invoice": (v1.invoices.list, recent),
        "checkout.session": (v1.checkout.sessions.list, recent),
        "payment_intent": (v1.payment_intents.list, recent),
        "charge": (v1.charges.list, recent),
        "refund": (v1.refunds.list, recent),
        "dispute": (v1.disputes.list, recent),
        "invoice_payment": (v1.invoice_payments.list, recent),
        # Stripe lists cards by their customers only; what is paid with counts, and subscriptions that go on name that.
        "payment_method": (v1.subscriptions.list, {"expand": [f"data.{_METHOD}"]}),
    }
    list_page, wanted = listing[object_type]
    with stripe_client.outages_named():
        listed = list_page(_after({"limit": _PAGE, **wanted}, after))
        found = [each.to_dict() for each in listed.data]
        # Of subscriptions that are listed for what they are paid with, the items are not looked at.
        subjects = found if object_type == "payment_method" else _in_full(found, most_long)
    goes_on = listed.has_more or len(subjects) < len(found)
    last_id = subjects[-1]["id"] if goes_on and subjects else None
    if object_type == "payment_method":
        subjects = _methods_of(subjects)
    return Page(subjects, asked_at, rules.next_place(object_type, last_id))


def _methods_of(subscriptions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({each[_METHOD]["id"]: each[_METHOD] for each in subscriptions if each.get(_METHOD)}.values())


def _in_full(found: list[dict[str, Any]], most_long: int) -> list[dict[str, Any]]:
    """Return objects with all of their lines or items: the whole page, or as many as may take their own requests."""
    full: list[dict[str, Any]] = []
    asked = 0
    for each in found:
        asked += not billing.shows_all(each)
        if asked > most_long:
            break
        full.append(billing.in_full(each))
    return full


def _after(wanted: dict[str, Any], after: str | None) -> dict[str, Any]:
    return wanted if after is None else {**wanted, "starting_after": after}
