"""Adds new events to the windows that they fall into. What is in a window waits there until it is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from keywright.metering import repository, rules
from keywright.metering.models import Meter, Period, UsageEvent, Window
from keywright.platform.db import Row, Transaction

Place = tuple[str, datetime]


def add(
    tx: Transaction,
    events: Sequence[UsageEvent],
    meters: Mapping[str, Meter],
    *,
    license_sid: str,
    period: Period | None,
    now: datetime,
) -> None:
    """Add events that were just stored to their windows; the caller has the license's turn."""
    boundaries = boundaries_of(tx, license_sid=license_sid, period=period, now=now)
    rows: dict[Place, Row] = {}
    hours: dict[datetime, Window] = {}
    for event in events:
        moment = event.occurred_at
        hour = moment.replace(minute=0, second=0, microsecond=0)
        window = hours.get(hour)
        if window is None or not window.start <= moment < window.end:
            window = hours[hour] = rules.window_of(moment, boundaries)
        row = rows.get((event.meter, window.start))
        if row is None:
            rows[event.meter, window.start] = _row(event, window, meters[event.meter], license_sid, now)
        else:
            _add(row, event)
    # In one order for everybody: two batches must not wait for each other.
    repository.add_to_windows(tx, [rows[place] for place in sorted(rows)])
    repository.hurry_windows(tx, license_sid=license_sid, windows=list(rows), push_events=rules.PUSH_EVENTS, now=now)


def boundaries_of(tx: Transaction, *, license_sid: str, period: Period | None, now: datetime) -> list[datetime]:
    """Return where billing periods begin and end, as far as they are known, in order; remember the running one."""
    known = repository.list_periods(tx, license_sid=license_sid)
    if period is not None and not any((old.start, old.end) == (period.start, period.end) for old in known):
        repository.add_period(tx, license_sid=license_sid, period=period, now=now)
        known.append(period)
    return sorted({moment for old in known for moment in (old.start, old.end)})


def _row(event: UsageEvent, window: Window, meter: Meter, license_sid: str, now: datetime) -> Row:
    return {
        "license_sid": license_sid,
        "meter": event.meter,
        "window_start": window.start,
        "window_end": window.end,
        "aggregation": meter.aggregation,
        "event_count": 1,
        "sum_quantity": event.quantity,
        "max_quantity": event.quantity,
        "last_quantity": event.quantity,
        "last_at": event.occurred_at,
        "last_id": event.event_id,
        "due_at": max(window.end + rules.SETTLE, now),
    }


def _add(row: Row, event: UsageEvent) -> None:
    quantity: Decimal = event.quantity
    row["event_count"] += 1
    row["sum_quantity"] += quantity
    if quantity > row["max_quantity"]:
        row["max_quantity"] = quantity
    if (event.occurred_at, event.event_id) > (row["last_at"], row["last_id"]):
        row["last_quantity"], row["last_at"], row["last_id"] = quantity, event.occurred_at, event.event_id
