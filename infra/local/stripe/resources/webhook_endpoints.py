"""Webhook endpoints. The signing secret is answered once, at creation, and kept with the deliveries."""

from __future__ import annotations

from urllib.parse import urlsplit

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.listing import PAGE_PARAMETERS, page
from infra.local.stripe.parameters import Each, Fields, Flag, Kind, Metadata, Text, merged_metadata
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id
from infra.local.stripe.version import require_deliverable

_MAX_ENDPOINTS = 16
_DETAILS: dict[str, Kind] = {
    "description": Text(),
    "enabled_events": Each(Text()),
    "metadata": Metadata(),
    "url": Text(),
}


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/webhook_endpoints``."""
    given = call.parameters
    if len(account.store.newest_first("webhook_endpoint")) >= _MAX_ENDPOINTS:
        raise invalid(f"An account has at most {_MAX_ENDPOINTS} webhook endpoints.")
    require_deliverable(given.get("api_version"), param="api_version")
    endpoint: Object = {
        "id": new_id("webhook_endpoint"),
        "object": "webhook_endpoint",
        "api_version": given.get("api_version"),
        "application": None,
        "created": account.clock.now(),
        "description": given.get("description"),
        "enabled_events": _events(given["enabled_events"]),
        "livemode": False,
        "metadata": merged_metadata({}, given.get("metadata")),
        "status": "enabled",
        "url": checked_url(given["url"]),
    }
    account.store.add(endpoint)
    return {**endpoint, "secret": account.deliveries.secrets.create(endpoint["id"])}


def checked_url(url: str) -> str:
    """Return the URL of a receiver, or refuse it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("Invalid URL: an explicit scheme, http or https, is needed.", param="url", code="url_invalid")
    return url


def _events(names: list[str]) -> list[str]:
    if not names or None in names:
        raise invalid("enabled_events needs at least one event.", param="enabled_events")
    return names


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/webhook_endpoints/{endpoint}``."""
    return account.store.get("webhook_endpoint", call.names["endpoint"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/webhook_endpoints/{endpoint}``."""
    endpoint, given = retrieve(account, call), call.parameters
    if "url" in given:
        endpoint["url"] = checked_url(given["url"] or "")
    if "enabled_events" in given:
        endpoint["enabled_events"] = _events(given["enabled_events"])
    if "description" in given:
        endpoint["description"] = given["description"]
    if "disabled" in given:
        endpoint["status"] = "disabled" if given["disabled"] else "enabled"
    endpoint["metadata"] = merged_metadata(endpoint["metadata"], given.get("metadata"))
    return endpoint


def delete(account: Account, call: Call) -> Object:
    """Answer ``DELETE /v1/webhook_endpoints/{endpoint}``."""
    return account.store.remove(retrieve(account, call))


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/webhook_endpoints``."""
    return page(account.store.newest_first("webhook_endpoint"), call.parameters, call.path)


ROUTES = (
    Route(
        "POST",
        "/v1/webhook_endpoints",
        create,
        Fields({**_DETAILS, "api_version": Text()}, required=("url", "enabled_events")),
    ),
    Route("GET", "/v1/webhook_endpoints", listing, Fields(PAGE_PARAMETERS)),
    Route("GET", "/v1/webhook_endpoints/{endpoint}", retrieve),
    Route("POST", "/v1/webhook_endpoints/{endpoint}", update, Fields({**_DETAILS, "disabled": Flag()})),
    Route("DELETE", "/v1/webhook_endpoints/{endpoint}", delete),
)
