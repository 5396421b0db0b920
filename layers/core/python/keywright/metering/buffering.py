"""Adds new events to the windows that they fall into. What is in a window waits there until it is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from keywright.metering import repository, rules
from keywright.metering.models import Meter, Period, Profile, UsageEvent, Window
from keywright.platform.db import Row, Transaction

Place = tuple[str, datetime]


def add(
    tx: Transaction,
    events: Sequence[UsageEvent],
    meters: Mapping[str, Meter],
    *,
    license_sid: str,
    profile: Profile,
    stored_at: datetime,
    now: datetime,
) -> None:
    """Add events that were just stored to their windows; the caller has the license's turn."""
    boundaries = _boundaries_for(tx, events, license_sid=license_sid, profile=profile, now=now)
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
            rows[event.meter, window.start] = {
                **_row(event, window, meters[event.meter]),
                "license_sid": license_sid,
                "stored_until": stored_at,
                "due_at": max(window.end + rules.SETTLE, now),
            }
        else:
            _add(row, event)
    # In one order for everybody: two batches must not wait for each other.
    repository.add_to_windows(tx, [rows[place] for place in sorted(rows)])


def _boundaries_for(
    tx: Transaction, events: Sequence[UsageEvent], *, license_sid: str, profile: Profile, now: datetime
) -> list[datetime]:
    """Return the boundaries that may fall into the events' hours; of the running period no more need be looked up."""
    period = profile.period
    if period is not None and profile.period_is_known:
        oldest = min(event.occurred_at for event in events)
        if oldest >= period.start + rules.HOUR:
            return [period.start, period.end]
    return boundaries_of(tx, license_sid=license_sid, period=period, now=now)


def boundaries_of(tx: Transaction, *, license_sid: str, period: Period | None, now: datetime) -> list[datetime]:
    """Return where billing periods begin and end, as far as they are known, in order; remember the running one."""
    known = repository.list_periods(tx, license_sid=license_sid)
    if period is not None and not any((old.start, old.end) == (period.start, period.end) for old in known):
        repository.add_period(tx, license_sid=license_sid, period=period, now=now)
        known = [old for old in known if old.start != period.start] + [period]
        for boundary in (period.start, period.end):
            _split(tx, license_sid=license_sid, boundary=boundary, now=now)
    return sorted({moment for old in known for moment in (old.start, old.end)})


def _split(tx: Transaction, *, license_sid: str, boundary: datetime, now: datetime) -> None:
    """Cut windows that were begun before it was known that a period ends in them; what was sealed is made good."""
    for window in repository.list_cut_windows(tx, license_sid=license_sid, boundary=boundary):
        start, end = window["window_start"], window["window_end"]
        for part in (Window(start, boundary), Window(boundary, end)):
            repository.set_window(tx, license_sid=license_sid, span=part, of=window, now=now)


def _row(event: UsageEvent, window: Window, meter: Meter) -> Row:
    return {
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
    }


def _add(row: Row, event: UsageEvent) -> None:
    quantity: Decimal = event.quantity
    row["event_count"] += 1
    row["sum_quantity"] += quantity
    row["max_quantity"] = max(row["max_quantity"], quantity)
    if (event.occurred_at, event.event_id) > (row["last_at"], row["last_id"]):
        row["last_quantity"], row["last_at"], row["last_id"] = quantity, event.occurred_at, event.event_id
