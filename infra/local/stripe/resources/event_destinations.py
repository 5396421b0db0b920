"""Event destinations: where thin events go, and the events themselves to fetch. Their calls are JSON, not forms."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.local.stripe.account import Account
from infra.local.stripe.parameters import Choice, Each, Fields, Metadata, Text
from infra.local.stripe.resources.webhook_endpoints import checked_url
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v2/core/event_destinations``."""
    given = call.parameters
    now = datetime.fromtimestamp(account.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    destination: Object = {
        "id": new_id("v2.core.event_destination"),
        "object": "v2.core.event_destination",
        "created": now,
        "description": given.get("description") or "",
        "enabled_events": given["enabled_events"],
        "event_payload": given["event_payload"],
        "livemode": False,
        "metadata": given.get("metadata", {}),
        "name": given["name"],
        "status": "enabled",
        "type": given["type"],
        "updated": now,
        "webhook_endpoint": {"url": checked_url(given["webhook_endpoint"]["url"])},
    }
    account.store.add(destination)
    secret = account.deliveries.secrets.create(destination["id"])
    shown = {"url": destination["webhook_endpoint"]["url"], "signing_secret": secret}
    wanted = [name.removeprefix("webhook_endpoint.") for name in given.get("include", [])]
    return {**destination, "webhook_endpoint": {name: shown[name] for name in wanted}}


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v2/core/events/{event}``."""
    return account.store.get("v2.core.event", call.names["event"])


ROUTES = (
    Route(
        "POST",
        "/v2/core/event_destinations",
        create,
        Fields(
            {
                "description": Text(),
                "enabled_events": Each(Text()),
                "event_payload": Choice(("thin",)),
                "include": Each(Choice(("webhook_endpoint.signing_secret", "webhook_endpoint.url"))),
                "metadata": Metadata(),
                "name": Text(),
                "type": Choice(("webhook_endpoint",)),
                "webhook_endpoint": Fields({"url": Text()}, required=("url",)),
            },
            required=("enabled_events", "event_payload", "name", "type", "webhook_endpoint"),
        ),
    ),
    Route("GET", "/v2/core/events/{event}", retrieve),
)
