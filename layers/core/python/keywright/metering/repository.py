"""Rows of ``usage_accounts``, ``usage_events``, ``usage_windows`` and ``usage_periods``: what was used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from keywright.metering.models import Aggregation, Period, Profile, UsageEvent
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)

_ZERO = Decimal(0)


def find_profile(tx: Transaction, *, license_sid: str) -> Profile | None:
    """Return what decides about a license's usage; None if there is no such license."""
    row = tx.one(_sql.find_profile, license_sid=license_sid)
    if row is None:
        return None
    start, end, ended_at = row["current_period_start"], row["current_period_end"], row["ended_at"]
    if start is not None and ended_at is not None and ended_at > start:
        end = min(end, ended_at)
    period = None if start is None else Period(start, end)
    return Profile(json.loads(row["metadata"]), period, ended_at, row["stripe_customer_id"])


def lock_account(tx: Transaction, *, license_sid: str, customer_sid: str, now: datetime) -> datetime:
    """Take the turn to write a license's usage; return the time before which nothing may be stored any more."""
    row = tx.one(_sql.lock_account, license_sid=license_sid)
    if row is None:
        tx.run(_sql.add_account, license_sid=license_sid, customer_sid=customer_sid, now=now)
        row = tx.one(_sql.lock_account, license_sid=license_sid)
        assert row is not None
    cut_at: datetime = row["cut_at"]
    return cut_at


def add_events(tx: Transaction, events: Iterable[UsageEvent], *, license_sid: str, stored_at: datetime) -> bool:
    """Insert the events, or none of them if the id of one is taken; tell whether they were inserted."""
    rows = [
        {
            "license_sid": license_sid,
            "event_id": event.event_id,
            "meter": event.meter,
            "quantity": event.quantity,
            "occurred_at": event.occurred_at,
            "stored_at": stored_at,
            "distinct_key": event.distinct_key,
            "properties": event.properties,
        }
        for event in events
    ]
    return not rows or tx.insert_all_new(_sql.add_events, rows, unique_key="PRIMARY")


def list_events(tx: Transaction, *, license_sid: str, event_ids: Sequence[str]) -> dict[str, UsageEvent]:
    """Return those of the events that are there."""
    rows = tx.all(_sql.list_events, license_sid=license_sid, event_ids=event_ids) if event_ids else []
    return {row["event_id"]: UsageEvent(**row) for row in rows}


def list_known_keys(
    tx: Transaction, *, license_sid: str, meter: str, start: datetime, end: datetime, distinct_keys: Sequence[str]
) -> set[str]:
    """Return which of the keys a unique count has counted in a span."""
    if not distinct_keys:
        return set()
    span = {"license_sid": license_sid, "meter": meter, "span_start": start, "span_end": end}
    return {row["distinct_key"] for row in tx.all(_sql.list_known_keys, **span, distinct_keys=distinct_keys)}


def add_to_windows(tx: Transaction, rows: list[Row]) -> None:
    """Add new events to their windows, which come to be with their first event."""
    tx.run_many(_sql.add_to_windows, rows)


def hurry_windows(
    tx: Transaction, *, license_sid: str, windows: Sequence[tuple[str, datetime]], push_events: int, now: datetime
) -> bool:
    """Have windows sealed at once that have gathered so many events; tell whether there are any."""
    found = tx.run(_sql.hurry_windows, license_sid=license_sid, windows=list(windows), push_events=push_events, now=now)
    return found > 0


def add_period(tx: Transaction, *, license_sid: str, period: Period, now: datetime) -> None:
    """Remember a billing period, or when it ends now."""
    span = {"period_start": period.start, "period_end": period.end}
    tx.run(_sql.add_period, license_sid=license_sid, **span, now=now)


def list_periods(tx: Transaction, *, license_sid: str) -> list[Period]:
    """Return the billing periods that usage has fallen into, the newest first."""
    rows = tx.all(_sql.list_periods, license_sid=license_sid)
    return [Period(row["period_start"], row["period_end"], row["billed_at"]) for row in rows]


def raise_cut(tx: Transaction, *, license_sid: str, stored_before: datetime) -> bool:
    """Have everything that is stored later be stored at or after this time; False if the license never reported."""
    return tx.run(_sql.raise_cut, license_sid=license_sid, stored_before=stored_before) == 1


def find_aggregation(tx: Transaction, *, license_sid: str, meter: str, start: datetime, end: datetime) -> str | None:
    """Return how the newest usage of a span was added up; None if there is none."""
    row = tx.one(_sql.find_aggregation, license_sid=license_sid, meter=meter, span_start=start, span_end=end)
    return None if row is None else str(row["aggregation"])


def add_up(
    tx: Transaction,
    aggregation: Aggregation,
    *,
    license_sid: str,
    meter: str,
    start: datetime,
    end: datetime,
    stored_before: datetime,
) -> Decimal:
    """Return the quantity of a span, counting what was stored before the cut."""
    span = {"license_sid": license_sid, "meter": meter, "span_start": start, "span_end": end}
    if aggregation is Aggregation.LAST:
        last = tx.one(_sql.find_last, **span, stored_before=stored_before)
        return _ZERO if last is None else Decimal(last["quantity"])
    row = tx.one(_sql.add_up, **span, stored_before=stored_before)
    assert row is not None
    if aggregation is Aggregation.UNIQUE:
        return Decimal(row["different"]) + (row["counted_elsewhere"] or _ZERO)
    return Decimal(row["max_quantity" if aggregation is Aggregation.MAX else "sum_quantity"] or _ZERO)


def total_of_windows(
    tx: Transaction, aggregation: Aggregation, *, license_sid: str, meter: str, start: datetime, end: datetime
) -> Decimal:
    """Return what the windows of a span add up to, for the aggregations that windows keep by themselves."""
    span = {"license_sid": license_sid, "meter": meter, "span_start": start, "span_end": end}
    row = tx.one(_sql.total_of_windows, **span)
    assert row is not None
    return Decimal(row["max_quantity" if aggregation is Aggregation.MAX else "sum_quantity"])
