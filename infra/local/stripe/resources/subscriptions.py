"""Subscriptions: made by a paid checkout, read, scheduled for cancellation, canceled."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.errors import missing
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Fields, Flag, Metadata, Text, merged_metadata
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_STATUSES = ("active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing")
_FEEDBACK = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
_CANCELLATION_DETAILS = Fields({"comment": Text(), "feedback": Choice(_FEEDBACK)})


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/subscriptions/{subscription}``."""
    return account.store.get("subscription", call.names["subscription"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/subscriptions/{subscription}``."""
    subscription, given = _live(account, call), call.parameters
    with account.journal.changing(subscription, "customer.subscription.updated"):
        subscription["metadata"] = merged_metadata(subscription["metadata"], given.get("metadata"))
        if "description" in given:
            subscription["description"] = given["description"]
        subscription["cancellation_details"].update(given.get("cancellation_details", {}))
        wanted = bool(given.get("cancel_at_period_end", subscription["cancel_at_period_end"]))
        if wanted != subscription["cancel_at_period_end"]:
            _schedule_cancellation(account, subscription, wanted=wanted)
    return subscription


def _schedule_cancellation(account: Account, subscription: Object, *, wanted: bool) -> None:
    """Ask for, or take back, the end at the period's end; the status stays as it is until then."""
    period_ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    subscription["cancel_at_period_end"] = wanted
    subscription["cancel_at"] = min(period_ends) if wanted else None
    subscription["canceled_at"] = account.clock.now() if wanted else None
    subscription["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None
    if wanted:
        cancel_at = subscription["cancel_at"]
        account.agenda.at(cancel_at, lambda: _end_if_still_wanted(account, subscription, cancel_at))


def _end_if_still_wanted(account: Account, subscription: Object, cancel_at: int) -> None:
    if subscription["status"] != "canceled" and subscription["cancel_at"] == cancel_at:
        _end(account, subscription)


def cancel(account: Account, call: Call) -> Object:
    """Answer ``DELETE /v1/subscriptions/{subscription}``."""
    subscription = _live(account, call)
    subscription["canceled_at"] = account.clock.now()
    subscription["cancel_at_period_end"] = False
    subscription["cancel_at"] = None
    subscription["cancellation_details"].update(
        {"reason": "cancellation_requested", **call.parameters.get("cancellation_details", {})}
    )
    return _end(account, subscription)


def _end(account: Account, subscription: Object) -> Object:
    subscription["ended_at"] = account.clock.now()
    subscription["status"] = "canceled"
    account.journal.record("customer.subscription.deleted", subscription)
    return subscription


def _live(account: Account, call: Call) -> Object:
    """Return a subscription that can still change; Stripe answers a canceled one as if it were absent."""
    subscription = retrieve(account, call)
    if subscription["status"] == "canceled":
        raise missing("subscription", subscription["id"])
    return subscription


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/subscriptions``."""
    status, price = call.parameters.get("status"), call.parameters.get("price")
    found = [
        value
        for value in account.store.newest_first("subscription")
        if matches(value, call.parameters, ("customer",))
        and _status_matches(value["status"], status)
        and (price is None or any(item["price"]["id"] == price for item in value["items"]["data"]))
    ]
    return page(found, call.parameters, call.path)


def _status_matches(status: str, wanted: str | None) -> bool:
    """Leave out the canceled unless they are asked for, as Stripe does."""
    if wanted is None:
        return status != "canceled"
    if wanted == "ended":
        return status in ("canceled", "incomplete_expired")
    return wanted in ("all", status)


ROUTES = (
    Route(
        "GET",
        "/v1/subscriptions",
        listing,
        Fields(
            {
                **PAGE_PARAMETERS,
                "created": CREATED,
                "customer": Text(),
                "price": Text(),
                "status": Choice((*_STATUSES, "unpaid")),
            }
        ),
    ),
    Route("GET", "/v1/subscriptions/{subscription}", retrieve),
    Route(
        "POST",
        "/v1/subscriptions/{subscription}",
        update,
        Fields(
            {
                "cancel_at_period_end": Flag(),
                "cancellation_details": _CANCELLATION_DETAILS,
                "description": Text(500),
                "metadata": Metadata(),
            }
        ),
    ),
    Route(
        "DELETE",
        "/v1/subscriptions/{subscription}",
        cancel,
        Fields({"cancellation_details": _CANCELLATION_DETAILS}),
    ),
)
