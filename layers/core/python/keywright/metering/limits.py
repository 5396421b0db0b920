"""
What a license includes in a period: events beyond a hard limit are refused, and who comes near any limit is told.

Of each mark it is told once in a period, whoever crosses it and however often the batch is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from keywright.jobs import service as jobs
from keywright.licensing.holders import Holder
from keywright.metering import repository
from keywright.metering.models import Aggregation, Meter, Period, UsageEvent
from keywright.platform.clock import to_wire
from keywright.platform.db import Transaction
from keywright.platform.money import decimal_text

MARKS = (80, 100)
"""Percent of a limit."""

LIMIT_REACHED = "limit-reached"

_WHOLE = Decimal(100)


def refuse(
    tx: Transaction,
    events: Sequence[UsageEvent],
    meters: Mapping[str, Meter],
    *,
    license_sid: str,
    period: Period | None,
    now: datetime,
) -> dict[str, str]:
    """Return the keys of new events that go beyond a hard limit; the caller has the license's turn."""
    span, refused = _span(period, now), dict[str, str]()
    for meter in meters.values():
        coming = [event for event in events if event.meter == meter.name and span.start <= event.occurred_at < span.end]
        if meter.is_hard and meter.limit is not None and coming:
            used = used_in(tx, meter, license_sid=license_sid, period=span, now=now)
            keys = [event.distinct_key for event in coming if event.distinct_key is not None]
            counted = repository.list_known_keys(
                tx, license_sid=license_sid, meter=meter.name, start=span.start, end=span.end, distinct_keys=keys
            )
            for event in coming:
                after = _with(used, event, meter, counted)
                if after > max(meter.limit, used if meter.aggregation is Aggregation.MAX else meter.limit):
                    refused[event.event_id] = LIMIT_REACHED
                else:
                    used = after
                    counted |= {event.distinct_key} if event.distinct_key else set()
    return refused


def watch(
    tx: Transaction,
    events: Sequence[UsageEvent],
    meters: Mapping[str, Meter],
    *,
    holder: Holder,
    period: Period | None,
    now: datetime,
) -> None:
    """Have the owner and the vendor told of each mark that is reached now."""
    span, touched = _span(period, now), {event.meter for event in events}
    for meter in meters.values():
        if meter.name not in touched or not meter.limit:
            continue
        used = used_in(tx, meter, license_sid=holder.license_sid, period=span, now=now)
        for mark in MARKS:
            if used * _WHOLE >= meter.limit * mark:
                _tell(tx, meter, holder=holder, period=span, mark=mark, used=used, now=now)


def used_in(tx: Transaction, meter: Meter, *, license_sid: str, period: Period, now: datetime) -> Decimal:
    """Return what has been used in a period by now."""
    span = {"license_sid": license_sid, "meter": meter.name, "start": period.start, "end": period.end}
    if meter.aggregation in {Aggregation.LAST, Aggregation.UNIQUE}:
        later = now + timedelta(days=1)
        return repository.add_up(tx, meter.aggregation, **span, stored_before=later)
    return repository.total_of_windows(tx, meter.aggregation, **span)


def _with(used: Decimal, event: UsageEvent, meter: Meter, counted: set[str]) -> Decimal:
    """Return what is used once an event has been counted."""
    if meter.aggregation is Aggregation.MAX:
        return max(used, event.quantity)
    if meter.aggregation is Aggregation.LAST:
        return event.quantity
    if meter.aggregation is Aggregation.UNIQUE and event.distinct_key in counted:
        return used
    return used + event.quantity


def _span(period: Period | None, now: datetime) -> Period:
    """Return the running billing period, or the calendar month where nothing is billed by period."""
    if period is not None:
        return period
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Period(start, (start + timedelta(days=32)).replace(day=1))


def _tell(
    tx: Transaction, meter: Meter, *, holder: Holder, period: Period, mark: int, used: Decimal, now: datetime
) -> None:
    assert meter.limit is not None
    key = f"{holder.license_sid}:{meter.name}:{to_wire(period.start)}:{mark}"
    facts = {
        "license_sid": holder.license_sid,
        "meter": meter.name,
        "percent": str(mark),
        "limit": decimal_text(meter.limit),
        "used": decimal_text(used),
        "period_start": to_wire(period.start),
        "period_end": to_wire(period.end),
    }
    jobs.enqueue(tx, "metering.send-threshold", facts, key=key, now=now)
    event = {"event": "usage.threshold_reached", **facts}
    jobs.enqueue(tx, "licensing.publish-event", event, key=f"usage.threshold_reached:{key}", now=now)
