"""Compares objects with the mirror, and says where a run begins, ends and goes on. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from keywright.platform.clock import from_unix, to_wire
from keywright.reconciliation.models import Difference, Fields, Run, RunState, Stored

OVERLAP = timedelta(hours=1)
"""How far each window reaches back into the last one: Stripe's list may lag, and clocks differ."""

RETENTION = timedelta(days=30)
"""How long Stripe lists an event (Stripe API reference, "List all events")."""

ALARM = timedelta(days=27)
"""A gap this old is close to losing events for good: the objects themselves must be compared."""

RECENT = timedelta(days=90)
"""How old an invoice, a session or a payment may be to be compared."""

ABANDONED = timedelta(minutes=15)
"""A run that was not touched for so long has lost its worker and its retries."""

CONTINUED = timedelta(hours=24)
"""How long a failed run is gone on with that does not get on; after that its cursor may be what it fails at."""

CONFIRMED_AFTER = timedelta(minutes=2)
"""How long repairs may take until they are looked at again."""

REVIEWED_WITHIN = timedelta(hours=1)
"""How long a license may stand where it stood until somebody has seen that time has passed."""

STUCK_AFTER = timedelta(minutes=5)
"""How long an event may be overdue. The dispatcher has hinted at it several times by then."""

MOST_STEPS = 2000
"""The most pages of one run. What is left is the next one's, which goes on where this one stopped."""

SWEPT = (
    "product", "price", "subscription", "invoice", "checkout.session", "payment_intent", "charge", "refund", "dispute",
    "invoice_payment", "payment_method",
)  # fmt: skip
"""What the object sweep compares, in this order: what another hangs on comes before it."""


def window_start(checked_through: datetime | None, *, now: datetime) -> datetime:
    """Return how far back Stripe's events are listed: all that it still has, if we never looked."""
    oldest = now - RETENTION
    return oldest if checked_through is None else max(oldest, checked_through - OVERLAP)


def is_near_loss(checked_through: datetime | None, *, now: datetime) -> bool:
    """Tell whether events that we lack may soon be, or are, gone from Stripe's list."""
    return checked_through is not None and now - checked_through >= ALARM


def next_place(object_type: str, last_id: str | None) -> str | None:
    """Return the cursor behind an object, or, without one, that of the next type; None behind the last type."""
    if last_id is not None:
        return f"{object_type}:{last_id}"
    following = SWEPT[SWEPT.index(object_type) + 1 :]
    return f"{following[0]}:" if following else None


def place_of(cursor: str | None, first: str = SWEPT[0]) -> tuple[str, str | None]:
    """Return what a cursor stands at, and behind which id."""
    what, _, last_id = (cursor or f"{first}:").partition(":")
    return what, last_id or None


def overdue_cursor(due_at: datetime, event_id: str) -> str:
    """Return the cursor behind an overdue event; hints do not change when it was due, so none is passed twice."""
    return f"{due_at.isoformat()} {event_id}"


def overdue_place(cursor: str | None) -> tuple[datetime, str]:
    """Return behind which moment and which event a cursor stands; without one, before them all."""
    if cursor is None:
        return from_unix(0), ""
    due_at, _, event_id = cursor.partition(" ")
    return datetime.fromisoformat(due_at), event_id


def flatten(values: Mapping[str, Any], *, only: Collection[str], prefix: str = "") -> dict[str, str | None]:
    """Return the named fields as texts that are equal if the values are."""
    return {f"{prefix}{name}": _text(values.get(name)) for name in only}


def flatten_all(name: str, parts: Iterable[Any], *, key: str, only: Collection[str]) -> dict[str, str | None]:
    """Return the parts of an object, such as its items, as fields that carry the part's id in their name."""
    flat: dict[str, str | None] = {}
    for part in parts:
        values = part if isinstance(part, Mapping) else values_of(part)
        flat |= flatten(values, only=only, prefix=f"{name}.{values[key]}.")
    return flat


def values_of(model: Any) -> dict[str, Any]:
    """Return the fields of a frozen dataclass, nested ones as they are."""
    return {field.name: getattr(model, field.name) for field in dataclass_fields(model)}


def differences(ours: Fields | None, theirs: Fields) -> list[Difference]:
    """Return in what we differ; an object that we lack differs as a whole."""
    if ours is None:
        return [Difference("object", None, theirs.get("status") or "present")]
    names = sorted(ours.keys() | theirs.keys())
    return [Difference(name, ours.get(name), theirs.get(name)) for name in names if ours.get(name) != theirs.get(name)]


def is_on_its_way(events: Sequence[Stored], *, asked_at: datetime) -> bool:
    """Tell whether the inbox knows more than the mirror, or came to know it after we asked: then nothing is wrong."""
    return any(event.state == "RECEIVED" or event.received_at >= asked_at for event in events)


def is_foreign(ours: Fields | None, events: Sequence[Stored]) -> bool:
    """Tell whether an object that we lack was looked at and found to be none of our business."""
    return ours is None and bool(events) and all(event.state == "IGNORED" for event in events)


def explain(events: Sequence[Stored], *, last_seen: Fields | None, theirs: Fields) -> str:
    """Return what a difference comes from, as far as the inbox tells."""
    for event in events:
        if event.state == "PARKED":
            return f"its events wait for {event.waiting_for}"
        if event.state == "DEAD":
            return f"an event about it was given up: {event.reason}"[:500]
    if last_seen is None:
        return "Stripe never told us of it"
    return "the mirror was changed by other means" if last_seen == theirs else "Stripe did not tell us of a change"


def may_heal(events: Sequence[Stored], *, ours: Fields | None, last_seen: Fields | None, theirs: Fields | None) -> bool:
    """
    Tell whether another observation can help: what waits for something else would only wait as well.

    But what is in the mirror may wait for a part only, such as what an item licenses, while the rest is folded.
    """
    waits = any(event.state == "PARKED" for event in events)
    return not waits or (ours is not None and last_seen != theirs)


def goes_on(latest: Run, *, now: datetime) -> bool:
    """
    Tell whether a run that has ended too early is gone on with at its cursor, so that what is long has an end.

    One that turned no page within a day is not: it would fail at the same place for ever.
    """
    if latest.state is RunState.COMPLETE or latest.page_cursor is None:
        return False
    return latest.step > 0 or now - latest.covers_at < CONTINUED


def _text(value: Any) -> str | None:  # noqa: PLR0911  (one line per type of the mirror)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return to_wire(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Mapping):
        return json.dumps(dict(value), sort_keys=True)
    if isinstance(value, tuple):
        return json.dumps(dict(value), sort_keys=True)
    if is_dataclass(value):
        return json.dumps({name: _text(part) for name, part in values_of(value).items()}, sort_keys=True)
    return str(value)
