"""
Reads events, and decides what concerns us. Pure: the same bytes always mean the same.

The metadata gate: products carry ``product_family``, and what Checkout creates for us carries our own ids too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from keywright.billing.rules import subscription_details
from keywright.platform import correlation
from keywright.platform.clock import from_unix, to_unix
from keywright.stripe_sync.models import StripeEvent, WebhookInvalid
from keywright.stripe_sync.normalize import before, normalize

OBSERVATION = "keywright.observation"
"""The event type of an object that we fetched ourselves; it goes through the same inbox."""

_THIN = "v2.core.event"

_LIVEMODE = {"live": True, "test": False}

_LONGEST_ID = 255
_LONGEST_TYPE = 100
_LONGEST_NAME = 64


def read_event(body: bytes) -> StripeEvent:
    """
    Return the event that the bytes describe.

    :raises WebhookInvalid: if they are not JSON, or not an event about an object
    """
    try:
        event = json.loads(body)
        if event.get("object") == _THIN:
            return _read_thin(event, body)
        subject = event["data"]["object"]
        return StripeEvent(
            event_id=_identifier(event["id"]),
            event_type=_identifier(event["type"], _LONGEST_TYPE),
            # A balance has no id, nor has an invoice that is yet to come.
            object_id=_identifier(subject.get("id") or "none"),
            moment=_moment(event),
            api_version=_if_said(event.get("api_version")),
            livemode=bool(event["livemode"]),
            account_id=_if_said(event.get("account")),
            body=body,
            subject=subject,
            previous=event["data"].get("previous_attributes"),
            after=frozenset(event.get("after_events") or ()) if event["type"] == OBSERVATION else frozenset(),
        )
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError) as problem:
        raise WebhookInvalid("The body is not a Stripe event.") from problem


def _read_thin(event: Mapping[str, Any], body: bytes) -> StripeEvent:
    """Read an event that says where to look and nothing else: it is itself what it is about."""
    return StripeEvent(
        event_id=_identifier(event["id"]),
        event_type=_identifier(event["type"], _LONGEST_TYPE),
        object_id=_identifier(event["id"]),
        moment=datetime.fromisoformat(event["created"]).astimezone(UTC),
        api_version=None,
        livemode=bool(event["livemode"]),
        account_id=_if_said(event.get("context")),
        body=body,
        subject={"object": _THIN},
        previous=None,
    )


def observation_event(subject: Mapping[str, Any], *, at: datetime, after: Sequence[str] = ()) -> bytes:
    """
    Return the body of the inbox entry for an object that we fetched; ``at`` is when we asked.

    ``after`` are events of the object that we had by then: whatever their time says, they are older.
    """
    microseconds = int(at.timestamp() * 1_000_000)
    event = {
        "id": f"obs_{microseconds}_{subject['id']}",
        "object": "event",
        "type": OBSERVATION,
        "created": to_unix(at),
        "observed_at_us": microseconds,
        **({"after_events": sorted(after)} if after else {}),
        "livemode": subject.get("livemode", False),
        "data": {"object": subject},
    }
    return json.dumps(event, sort_keys=True, default=_as_stripe_sent).encode()


def event_body(event: Mapping[str, Any]) -> bytes:
    """Return the body of the inbox entry for an event that was listed rather than delivered."""
    return json.dumps(event, sort_keys=True, default=_as_stripe_sent).encode()


def look_again_after(attempts: int) -> timedelta:
    """Return how long a parked event rests before it is looked at again, even if nothing releases it."""
    return min(timedelta(seconds=1 << min(attempts, 20)), timedelta(hours=6))


def retry_after(failures: int) -> timedelta:
    """Return how long an event rests whose fold has failed so many times in a row."""
    return min(timedelta(seconds=30 << min(failures, 20)), timedelta(minutes=15))


def metadata_of(event: StripeEvent) -> Mapping[str, str]:
    """Return the metadata that ties the event's object to ours; an invoice shows that of its subscription."""
    return _metadata_of(event.subject)


def told_metadata(event: StripeEvent) -> list[Mapping[str, str]]:
    """Return the metadata that an event tells of, what it replaced first; nothing if its object cannot be read."""
    try:
        now = _metadata_of(event.subject)
        return [now] if event.previous is None else [_metadata_of(before(event.subject, event.previous)), now]
    except (ValueError, LookupError, TypeError, AttributeError):
        # It fails, visibly, when it is folded itself; it must not take the others with it.
        return []


def find_correlation_id(event: StripeEvent) -> str | None:
    """Return the id of the request that the event's object comes from; None if the object does not say, or not well."""
    try:
        told = metadata_of(event).get(correlation.METADATA_KEY)
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
        # Whatever an object looks like, its event is stored; what cannot be read fails where it is folded.
        return None
    return told if correlation.is_acceptable(told) else None


def foreign_reason(event: StripeEvent, *, account_id: str | None, livemode: bool | None) -> str | None:
    """
    Return why an event is none of this deployment's Stripe account and mode; None if it is.

    An endpoint's own events name no account, those of accounts that are connected to it do. So where nobody has told
    which account is ours, whatever names one is somebody else's.
    """
    if event.event_type == OBSERVATION:
        # We asked with our own key.
        return None
    if livemode is not None and event.livemode is not livemode:
        return f"the event is of {'live' if event.livemode else 'test'} mode"
    if event.account_id in {None, account_id}:
        return None
    unknown = "" if account_id is not None else ", and the secret does not say that it is ours"
    return f"the event is of the account {event.account_id}{unknown}"


def mode_of_key(api_key: str) -> bool | None:
    """Return whether a Stripe key is one for live mode; None if it does not tell."""
    _kind, _, rest = api_key.partition("_")
    return _LIVEMODE.get(rest.partition("_")[0])


def _metadata_of(subject: Mapping[str, Any]) -> Mapping[str, str]:
    own = subject.get("metadata") or {}
    if subject.get("object") != "invoice":
        return own
    return {**own, **(subscription_details(normalize(subject)).get("metadata") or {})}


def _as_stripe_sent(value: object) -> str:
    # Stripe's client reads decimal strings into Decimal; the inbox keeps what went over the wire.
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} is nothing that Stripe sends")


def _moment(event: Mapping[str, Any]) -> datetime:
    moment = from_unix(int(event["created"]))
    if event["type"] == OBSERVATION:
        return moment + timedelta(microseconds=int(event["observed_at_us"]) % 1_000_000)
    return moment


def _identifier(value: object, longest: int = _LONGEST_ID) -> str:
    if not isinstance(value, str) or not value.isascii() or not value or len(value) > longest:
        raise TypeError("not an identifier")
    return value


def _if_said(value: object) -> str | None:
    return None if value is None else _identifier(value, _LONGEST_NAME)
