"""
Reads what senders send: items of a batch to events that can be stored, or the code of why one cannot. Pure.

It is called for every event there is, so it checks by hand and builds one object per event and no more.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from keywright.metering.models import Aggregation, Meter, UsageBodyInvalid, UsageEvent
from keywright.metering.rules import AHEAD, BEHIND

MAX_EVENTS = 1000
_MAX_PROPERTIES = 2000
_ID = re.compile(r"[\x21-\x7e]{1,100}")
_ONE = Decimal(1)
_ZERO = Decimal(0)
_BEYOND = Decimal(10) ** 15
"""Fifteen digits before the point and twelve after it are what Stripe takes."""
_STEP = Decimal(1).scaleb(-12)

ID_INVALID = "id-invalid"
METER_UNKNOWN = "meter-unknown"
VALUE_INVALID = "value-invalid"
TIME_INVALID = "time-invalid"
TIME_OUT_OF_RANGE = "time-out-of-range"
PROPERTIES_INVALID = "properties-invalid"
EVENT_INVALID = "event-invalid"

_KNOWN = frozenset({"id", "meter", "value", "time", "properties"})


def read_batch(body: object) -> list[Any]:
    """
    Return the items of a request: ``{"events": […]}``, a list of CloudEvents, or a single one.

    :raises UsageBodyInvalid: if it is none of these, or holds nothing or too much
    """
    items: object = body
    if isinstance(body, dict):
        items = [body] if "specversion" in body else body.get("events")
        if "specversion" not in body and body.keys() != {"events"}:
            raise UsageBodyInvalid("The body is an object with the one field `events`.")
    if not isinstance(items, list) or not 0 < len(items) <= MAX_EVENTS:
        raise UsageBodyInvalid(f"A batch holds 1 to {MAX_EVENTS} events.")
    return items


def sent_id(item: object) -> str | None:
    """Return the id that the sender knows an item by, as far as it can be told back."""
    said = item.get("id") if isinstance(item, dict) else None
    return said if isinstance(said, str) and _ID.fullmatch(said) else None


class Reader:
    """Reads the items of one batch: the meters and the moment are the same for all of them."""

    def __init__(self, meters: Mapping[str, Meter], *, now: datetime) -> None:
        self._meters = meters
        self._oldest, self._newest = now - BEHIND, now + AHEAD

    def read(self, item: Any) -> UsageEvent | str:
        """Return the event, or the code of what is wrong with it."""
        if not isinstance(item, dict):
            return EVENT_INVALID
        if "specversion" in item:
            return self._read_cloud_event(item)
        if not item.keys() <= _KNOWN:
            return EVENT_INVALID
        event_id = item.get("id")
        if not isinstance(event_id, str) or not _ID.fullmatch(event_id):
            return ID_INVALID
        return self._event(event_id, item.get("meter"), item.get("value"), item.get("time"), item.get("properties"))

    def _read_cloud_event(self, item: Mapping[str, Any]) -> UsageEvent | str:
        """Read a CloudEvent (version 1.0): its type is the meter, and source and id together are its identity."""
        event_id, source, data = item.get("id"), item.get("source"), item.get("data")
        if item["specversion"] != "1.0" or not isinstance(source, str) or not source:
            return EVENT_INVALID
        if not isinstance(event_id, str) or not _ID.fullmatch(event_id):
            return ID_INVALID
        if not isinstance(data, dict) or not data.keys() <= {"value", "properties"}:
            return EVENT_INVALID
        # A space is in no plain id, so the two kinds cannot meet.
        key = f"{event_id} {_digest(source)}"
        return self._event(key, item.get("type"), data.get("value"), item.get("time"), data.get("properties"))

    def _event(self, key: str, name: object, value: object, time: object, properties: object) -> UsageEvent | str:
        meter = self._meters.get(name) if isinstance(name, str) else None
        if meter is None:
            return METER_UNKNOWN
        quantity = _quantity(value, meter.aggregation)
        if quantity is None:
            return VALUE_INVALID
        occurred_at = _moment(time)
        if occurred_at is None:
            return TIME_INVALID
        if not self._oldest <= occurred_at <= self._newest:
            return TIME_OUT_OF_RANGE
        if properties is None and meter.distinct is None:
            return UsageEvent(key, meter.name, quantity, occurred_at)
        if not isinstance(properties, dict):
            return PROPERTIES_INVALID
        return _with_properties(key, meter, quantity, occurred_at, properties)


def _with_properties(
    key: str, meter: Meter, quantity: Decimal, occurred_at: datetime, properties: Mapping[str, object]
) -> UsageEvent | str:
    distinct = None
    if meter.distinct is not None:
        told = properties.get(meter.distinct)
        if not isinstance(told, str | int) or told == "":
            return PROPERTIES_INVALID
        distinct = _digest(json.dumps(told))
    text = json.dumps(properties, sort_keys=True, separators=(",", ":"), default=str)
    if len(text) > _MAX_PROPERTIES:
        return PROPERTIES_INVALID
    return UsageEvent(key, meter.name, quantity, occurred_at, distinct, text)


def _quantity(value: object, aggregation: Aggregation) -> Decimal | None:
    """Return the exact value; what counts events is one each, and need not be said."""
    if aggregation in _COUNTING:
        return _ONE if value is None or (value == 1 and value is not True) else None
    if type(value) is int:
        number = Decimal(value)
    elif isinstance(value, Decimal):
        number = value
    elif isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
    else:
        return None
    if not number.is_finite() or not _ZERO <= number < _BEYOND:
        return None
    exponent = number.as_tuple().exponent
    return None if isinstance(exponent, int) and exponent < -12 and number % _STEP else number  # noqa: PLR2004


_COUNTING = frozenset({Aggregation.COUNT, Aggregation.UNIQUE})


def _moment(time: object) -> datetime | None:
    if not isinstance(time, str):
        return None
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    try:
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def first_of_each(events: Sequence[UsageEvent]) -> dict[str, UsageEvent]:
    """Return the events by key; where a batch repeats one, its first occurrence."""
    first: dict[str, UsageEvent] = {}
    for event in events:
        first.setdefault(event.event_id, event)
    return first
