"""Meters: how events of a name add up, per customer."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.listing import PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Fields, Text
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id

_KEY = Text(100)


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/billing/meters``."""
    given, now = call.parameters, account.clock.now()
    if active(account, given["event_name"]) is not None:
        message = f"There is already an active meter with event name {given['event_name']}."
        raise invalid(message, param="event_name", code="resource_already_exists")
    meter: Object = {
        "id": new_id("billing.meter"),
        "object": "billing.meter",
        "created": now,
        "customer_mapping": given.get("customer_mapping")
        or {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        "default_aggregation": given["default_aggregation"],
        "display_name": given["display_name"],
        "event_name": given["event_name"],
        "event_time_window": given.get("event_time_window"),
        "livemode": False,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": now,
        "value_settings": given.get("value_settings") or {"event_payload_key": "value"},
    }
    return account.create(meter, "billing.meter.created")


def named(account: Account, event_name: str) -> Object | None:
    """Return the meter for events of this name: the active one, or the newest that was archived."""
    found = [meter for meter in account.store.newest_first("billing.meter") if meter["event_name"] == event_name]
    return active(account, event_name) or (found[0] if found else None)


def active(account: Account, event_name: str) -> Object | None:
    """Return the active meter for events of this name; there is never more than one."""
    meters = account.store.newest_first("billing.meter")
    return next((m for m in meters if m["event_name"] == event_name and m["status"] == "active"), None)


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/billing/meters/{meter}``."""
    return account.store.get("billing.meter", call.names["meter"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/billing/meters/{meter}``."""
    meter = retrieve(account, call)
    with account.journal.changing(meter, "billing.meter.updated"):
        if call.parameters.get("display_name", meter["display_name"]) != meter["display_name"]:
            meter["display_name"] = call.parameters["display_name"]
            meter["updated"] = account.clock.now()
    return meter


def deactivate(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/billing/meters/{meter}/deactivate``."""
    meter = retrieve(account, call)
    if meter["status"] != "active":
        raise invalid("This meter is already inactive.")
    _switch(account, meter, "inactive", account.clock.now())
    account.journal.record("billing.meter.deactivated", meter)
    return meter


def reactivate(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/billing/meters/{meter}/reactivate``."""
    meter = retrieve(account, call)
    if active(account, meter["event_name"]) is not None:
        raise invalid("There is already an active meter with this event name.")
    _switch(account, meter, "active", None)
    account.journal.record("billing.meter.reactivated", meter)
    return meter


def _switch(account: Account, meter: Object, status: str, deactivated_at: int | None) -> None:
    meter["status"] = status
    meter["status_transitions"]["deactivated_at"] = deactivated_at
    meter["updated"] = account.clock.now()


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/billing/meters``."""
    found = [
        meter for meter in account.store.newest_first("billing.meter") if matches(meter, call.parameters, ("status",))
    ]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route(
        "POST",
        "/v1/billing/meters",
        create,
        Fields(
            {
                "customer_mapping": Fields(
                    {"event_payload_key": _KEY, "type": Choice(("by_id",))}, required=("event_payload_key", "type")
                ),
                "default_aggregation": Fields({"formula": Choice(("count", "last", "sum"))}, required=("formula",)),
                "display_name": Text(250),
                "event_name": _KEY,
                "event_time_window": Choice(("day", "hour")),
                "value_settings": Fields({"event_payload_key": _KEY}, required=("event_payload_key",)),
            },
            required=("default_aggregation", "display_name", "event_name"),
        ),
    ),
    Route(
        "GET",
        "/v1/billing/meters",
        listing,
        Fields({**PAGE_PARAMETERS, "status": Choice(("active", "inactive"))}),
    ),
    Route("GET", "/v1/billing/meters/{meter}", retrieve),
    Route("POST", "/v1/billing/meters/{meter}", update, Fields({"display_name": Text(250)})),
    Route("POST", "/v1/billing/meters/{meter}/deactivate", deactivate),
    Route("POST", "/v1/billing/meters/{meter}/reactivate", reactivate),
)
