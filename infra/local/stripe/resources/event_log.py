"""The events list: what happened within the last thirty days."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid, missing
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, created_matches, page
from infra.local.stripe.older_shapes import in_version
from infra.local.stripe.parameters import Each, Fields, Flag, Text
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_KEPT_S = 30 * 86_400
_MAX_TYPES = 20


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/events/{event}``."""
    event = account.store.get("event", call.names["event"])
    if event["created"] < account.clock.now() - _KEPT_S:
        raise missing("event", event["id"])
    return in_version(account.store, event, event["api_version"])


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/events``."""
    given, oldest = call.parameters, account.clock.now() - _KEPT_S
    if len(given.get("types", [])) > _MAX_TYPES:
        raise invalid(f"types takes at most {_MAX_TYPES} types.", param="types")
    if "type" in given and "types" in given:
        raise invalid("You may give only one of type and types.", param="types")
    wanted = given.get("types") or ([given["type"]] if "type" in given else [])
    found = [
        event
        for event in account.store.newest_first("event")
        if event["created"] >= oldest
        and created_matches(event, given.get("created"))
        and (not wanted or _type_matches(event["type"], wanted))
        and ("delivery_success" not in given or given["delivery_success"] == (event["pending_webhooks"] == 0))
    ]
    answer = page(found, given, call.path)
    # Listed in the version of their creation, which need not be the caller's.
    answer["data"] = [in_version(account.store, event, event["api_version"]) for event in answer["data"]]
    return answer


def _type_matches(event_type: str, wanted: list[str]) -> bool:
    """Compare with names and with families of names such as ``customer.*``."""
    return any(
        event_type.startswith(name.removesuffix("*")) if name.endswith("*") else event_type == name for name in wanted
    )


ROUTES = (
    Route(
        "GET",
        "/v1/events",
        listing,
        Fields(
            {
                **PAGE_PARAMETERS,
                "created": CREATED,
                "delivery_success": Flag(),
                "type": Text(),
                "types": Each(Text()),
            }
        ),
    ),
    Route("GET", "/v1/events/{event}", retrieve),
)
