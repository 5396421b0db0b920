"""
Meter events, and adjustments that cancel one.

The call checks only what it can see at once: the identifier and the time. Whether the event can be counted turns
out later, and is told by an event of its own if it cannot.
"""

from __future__ import annotations

import secrets
import uuid

from infra.local.stripe.account import Account
from infra.local.stripe.errors import StripeError, invalid
from infra.local.stripe.parameters import Choice, Fields, Integer, Metadata, Text
from infra.local.stripe.resources.meters import meters, validation
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_OLDEST_S = 35 * 86_400
_AHEAD_S = 5 * 60
_REMEMBERED_S = 24 * 3600
# Stripe counts events a moment after it has taken them.
_PROCESSED_AFTER_S = 1


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/billing/meter_events``."""
    given, now = call.parameters, account.clock.now()
    timestamp = given.get("timestamp", now)
    if timestamp < now - _OLDEST_S:
        raise invalid(
            "The timestamp must be within the past 35 days.", param="timestamp", code="timestamp_too_far_in_past"
        )
    if timestamp > now + _AHEAD_S:
        message = "The timestamp must be at most 5 minutes in the future."
        raise invalid(message, param="timestamp", code="timestamp_in_future")
    identifier = given.get("identifier") or str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
    _claim(account, identifier, now)
    event: Object = {
        "object": "billing.meter_event",
        "created": now,
        "event_name": given["event_name"],
        "identifier": identifier,
        "livemode": False,
        "payload": given["payload"],
        "timestamp": timestamp,
    }
    account.meter_inbox.append(event)
    account.agenda.at(now + _PROCESSED_AFTER_S, lambda: validation.process(account))
    return event


def _claim(account: Account, identifier: str, now: int) -> None:
    """An identifier is unique for a day after it was last taken; after that it would be counted again."""
    taken_at = account.meter_identifiers.get(identifier)
    if taken_at is not None and now - taken_at < _REMEMBERED_S:
        message = f"An event already exists with identifier {identifier}."
        raise StripeError(message, param="identifier", retry=False)
    account.meter_identifiers[identifier] = now


def adjust(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/billing/meter_event_adjustments``."""
    given, now = call.parameters, account.clock.now()
    meter = meters.named(account, given["event_name"])
    if meter is None:
        raise invalid(f"No meter found for event name {given['event_name']}.", param="event_name")
    identifier = given.get("cancel", {}).get("identifier")
    if identifier is None:
        raise invalid("Missing required param: cancel[identifier].", param="cancel", code="parameter_missing")
    taken_at = account.meter_identifiers.get(identifier)
    if taken_at is None:
        raise invalid(f"No event exists with identifier {identifier}.", param="cancel[identifier]")
    if now - taken_at >= _REMEMBERED_S:
        message = "Only events received within the last 24 hours can be canceled."
        raise invalid(message, param="cancel[identifier]")
    validation.process(account)
    account.meter_ledger.cancel(meter["id"], identifier)
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": given["event_name"],
        "livemode": False,
        "status": "pending",
        "type": "cancel",
    }


ROUTES = (
    Route(
        "POST",
        "/v1/billing/meter_events",
        create,
        Fields(
            {"event_name": Text(100), "identifier": Text(100), "payload": Metadata(), "timestamp": Integer()},
            required=("event_name", "payload"),
        ),
    ),
    Route(
        "POST",
        "/v1/billing/meter_event_adjustments",
        adjust,
        Fields(
            {
                "cancel": Fields({"identifier": Text(100)}),
                "event_name": Text(100),
                "type": Choice(("cancel",)),
            },
            required=("event_name", "type"),
        ),
    ),
)
