"""Thin events: they carry no object, only where to fetch what happened, and go to event destinations."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.local.stripe.account import Account
from infra.local.stripe.store import Object, new_id


def record(account: Account, event_type: str, data: Object, related: Object | None = None) -> Object:
    """Append a thin event and start delivering it. What is fetched has the data, what is delivered has not."""
    event: Object = {
        "id": new_id("v2.core.event"),
        "object": "v2.core.event",
        "created": datetime.fromtimestamp(account.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "data": data,
        "livemode": False,
        "type": event_type,
    }
    if related is not None:
        event["related_object"] = related
    account.store.add(event)
    if account.judge is not None:
        account.judge.event(event)
    account.deliveries.enqueue(event, kind="v2.core.event_destination")
    return event
