"""What an owner sees of usage: by hour, day or month, where it stands, and what the running period may cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from keywright.licensing.models import SourceKind
from keywright.metering import limits, repository, rules, window_repository
from keywright.metering.billing import service as billing
from keywright.metering.imports import repository as import_repository
from keywright.metering.models import Aggregation, Meter, Period, Profile, UsageLicenseNotFound, WindowState
from keywright.platform import paging
from keywright.platform.clock import to_wire
from keywright.platform.db import Row, Transaction
from keywright.platform.paging import Page
from keywright.pricing import rules as pricing

_MOST_WINDOWS = 20_000
_MOST_LICENSES = 100
_UNTOLD = (WindowState.REJECTED, WindowState.BUFFERED, WindowState.SEALED, WindowState.PUSHED, WindowState.CONFIRMED)
_KEPT_IN_WINDOWS = frozenset({Aggregation.SUM, Aggregation.COUNT, Aggregation.MAX})


class Grain(StrEnum):
    """How usage is put together for reading."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True)
class Used:
    """What a meter counted in a span. ``state`` is that of the part that is least settled."""

    license_sid: str
    meter: str
    aggregation: Aggregation
    start: datetime
    end: datetime
    quantity: Decimal
    events: int
    state: WindowState
    code: str | None
    refused: Decimal


@dataclass(frozen=True)
class Estimate:
    """What a meter has counted in the running period, what is included, and what it would cost if the period ended."""

    license_sid: str
    meter: str
    period: Period
    quantity: Decimal
    limit: Decimal | None
    is_hard: bool
    amount_minor: int | None
    currency: str | None
    display: str | None


@dataclass(frozen=True)
class Selection:
    """Which usage to show: of one license or meter or of all, in a span that defaults to the running period."""

    license_sid: str | None = None
    meter: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    grain: Grain = Grain.HOUR


def read(
    tx: Transaction, selection: Selection, *, customer_sid: str, cursor: str | None, limit: int, now: datetime
) -> tuple[Page[Used], list[Estimate]]:
    """
    Return a page of usage, the oldest first, and the estimates of the running period.

    :raises UsageLicenseNotFound: if the customer has no such license
    :raises CursorInvalid: if the cursor is none that a list gave out
    """
    after, used, estimates = paging.decode(cursor), list[Used](), list[Estimate]()
    for licensed in _licensed(tx, selection, customer_sid=customer_sid):
        profile = repository.find_profile(tx, license_sid=licensed["license_sid"])
        assert profile is not None
        running = profile.period or rules.period_of(now, ())
        used += _put_together(tx, licensed, selection, running=running, now=now)
        meters = rules.meters(profile.metadata).values()
        chosen = [meter for meter in meters if selection.meter in {None, meter.name}]
        estimates += [_estimate(tx, meter, licensed, profile, period=running, now=now) for meter in chosen]
    rest = sorted((each for each in used if _key(each) > after), key=_key)
    return paging.page(rest[: limit + 1], limit=limit, key=_key), estimates


def _licensed(tx: Transaction, selection: Selection, *, customer_sid: str) -> list[Row]:
    if selection.license_sid is None:
        return import_repository.list_reporting(tx, customer_sid=customer_sid, limit=_MOST_LICENSES)
    licensed = import_repository.find_licensed(tx, license_sid=selection.license_sid, customer_sid=customer_sid)
    if licensed is None:
        raise UsageLicenseNotFound("There is no license with this id.")
    return [licensed]


def _put_together(
    tx: Transaction, licensed: Row, selection: Selection, *, running: Period, now: datetime
) -> list[Used]:
    rows = window_repository.list_windows(
        tx,
        license_sid=licensed["license_sid"],
        customer_sid=licensed["customer_sid"],
        meter=selection.meter,
        start=selection.start or running.start,
        end=selection.end or max(running.end, now),
        limit=_MOST_WINDOWS,
    )
    spans: dict[tuple[datetime, str], list[Row]] = {}
    for row in rows:
        spans.setdefault((_span_start(row["window_start"], selection.grain), row["meter"]), []).append(row)
    return [_used(tx, parts, licensed["license_sid"], now=now) for parts in spans.values()]


def _used(tx: Transaction, parts: list[Row], license_sid: str, *, now: datetime) -> Used:
    first, last = parts[0], parts[-1]
    aggregation = Aggregation(last["aggregation"])
    states = {_state(row): row["code"] for row in parts}
    state = next(each for each in _UNTOLD if each in states)
    start, end = first["window_start"], last["window_end"]
    if aggregation is Aggregation.UNIQUE:
        span = {"license_sid": license_sid, "meter": last["meter"], "start": start, "end": end}
        quantity = repository.add_up(tx, aggregation, **span, stored_before=now + timedelta(days=1))
    elif aggregation is Aggregation.LAST:
        quantity = last["last_quantity"]
    elif aggregation is Aggregation.MAX:
        quantity = max(row["max_quantity"] for row in parts)
    else:
        quantity = sum((row["sum_quantity"] for row in parts), Decimal(0))
    return Used(
        license_sid=license_sid,
        meter=last["meter"],
        aggregation=aggregation,
        start=start,
        end=end,
        quantity=quantity,
        events=sum(row["event_count"] for row in parts),
        state=state,
        code=states[state] if state is WindowState.REJECTED else None,
        refused=sum((row["refused"] for row in parts), Decimal(0)),
    )


def _estimate(
    tx: Transaction, meter: Meter, licensed: Row, profile: Profile, *, period: Period, now: datetime
) -> Estimate:
    license_sid = licensed["license_sid"]
    quantity = limits.used_in(tx, meter, license_sid=license_sid, period=period, now=now)
    price = billing.price_of(
        tx,
        meter=meter.name,
        source_kind=SourceKind(licensed["source_kind"]),
        source_id=licensed["source_id"],
        metadata=profile.metadata,
    )
    if price is None or price.tiers_missing:
        return Estimate(license_sid, meter.name, period, quantity, meter.limit, meter.is_hard, None, None, None)
    quote = pricing.quote(price, quantity=int(quantity))
    money = quote.money
    return Estimate(
        license_sid,
        meter.name,
        period,
        quantity,
        meter.limit,
        meter.is_hard,
        money.minor,
        money.currency,
        money.display(),
    )


def _state(row: Row) -> WindowState:
    if row["pending_events"] or row["state"] is None:
        return WindowState.BUFFERED
    return WindowState(row["state"])


def _span_start(moment: datetime, grain: Grain) -> datetime:
    if grain is Grain.HOUR:
        return moment
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day if grain is Grain.DAY else day.replace(day=1)


def _key(used: Used) -> str:
    return f"{to_wire(used.start)} {used.license_sid} {used.meter}"
