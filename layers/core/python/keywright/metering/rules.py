"""
What a product's metadata says about usage, and how usage is cut into windows. Pure.

``meters`` names the meters, each by Stripe's ``event_name`` and how a period is added up unless that is a sum:
``api_calls, seats:max, users:unique:user_id``. ``limit_<meter>`` is what a period includes, ``usage_limits: hard`` has
events beyond it refused, ``late_usage`` is the policy for what comes after the bill.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import combinations

from keywright.catalog.metadata import LIMIT_PREFIX
from keywright.licensing.models import SourceKind
from keywright.metering.models import (
    Aggregation,
    Billing,
    LatePolicy,
    Meter,
    Period,
    Plan,
    Profile,
    Revision,
    Route,
    Window,
    WindowState,
)

HOUR = timedelta(hours=1)

SETTLE = timedelta(minutes=5)
"""How long a window rests after its end before it is sealed, so that what is under way needs no second revision."""

PUSH_EVENTS = 10_000
"""So many unsealed events have a window sealed before its hour is over; the query that adds to windows knows it."""

AHEAD = timedelta(minutes=5)
BEHIND = timedelta(days=35)
"""Stripe takes meter events up to five minutes ahead and 35 days old."""

CLOSE_AFTER = timedelta(minutes=45)
"""Stripe finalizes a period's invoice an hour after its end by default; what is stored by then is on it."""

LAST_CALL = timedelta(minutes=55)
"""Until then usage may still be told as of a period that is over."""

REMEMBERED = timedelta(hours=23)
"""Stripe knows an identifier for at least 24 hours; an hour of that is left to clocks and retries."""

COUNTED_AFTER = timedelta(minutes=10)
"""How long what was told may take to show in the sink's sums."""

MOST_DOUBTFUL = 12

DROPPED_LATE = "dropped-late"

FINAL = frozenset({DROPPED_LATE})
"""Codes that nobody can mend: the product's own policy."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def meters(metadata: Mapping[str, str], *, limits: Mapping[str, int] | None = None) -> dict[str, Meter]:
    """
    Return the meters of a product by name; what cannot be read is no meter.

    ``limits`` are those of a signed license, which bind where they differ from the product's of today.
    """
    is_hard = metadata.get("usage_limits") == "hard"
    found = (_meter(spec.strip(), metadata, limits, is_hard=is_hard) for spec in metadata.get("meters", "").split(","))
    return {meter.name: meter for meter in found if meter is not None}


def late_policy(metadata: Mapping[str, str]) -> LatePolicy:
    """Return what becomes of usage that comes after the bill: the next bill has it unless the product says else."""
    said = metadata.get("late_usage", "")
    return LatePolicy(said) if said in set(LatePolicy) else LatePolicy.BILL_NEXT


def window_of(moment: datetime, boundaries: Iterable[datetime]) -> Window:
    """Return the window of a moment: its hour, cut where a billing period ends inside of it."""
    start = moment.replace(minute=0, second=0, microsecond=0)
    end = start + HOUR
    for boundary in boundaries:
        if start < boundary <= moment:
            start = boundary
        elif moment < boundary < end:
            end = boundary
    return Window(start, end)


def identifier(*, license_sid: str, meter: str, window_start: datetime, revision: int) -> str:
    """Return the id of a window's revision: the same whoever asks, and another for every revision."""
    fact = f"{license_sid}\n{meter}\n{window_start.isoformat()}\n{revision}"
    return _named(fact)


def renamed(known_as: str) -> str:
    """
    Return the next id of a revision that the sink took under another one and does not count.

    Stripe keeps an identifier for at least a day, whether or not it could count the event, and says nothing of when it
    forgets it: until then the same identifier is refused as one that exists.
    """
    return _named(f"{known_as}\nanew")


def period_of(moment: datetime, periods: Iterable[Period]) -> Period:
    """Return the billing period of a moment; where none is known, the calendar month."""
    for period in periods:
        if period.start <= moment < period.end:
            return period
    start = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Period(start, (start + timedelta(days=32)).replace(day=1))


def bill(
    quantity: Decimal,
    *,
    source_kind: SourceKind,
    window_start: datetime,
    period: Period,
    profile: Profile,
    now: datetime,
) -> Billing:
    """Return who is told of a window's revision, and as of when."""
    if source_kind is SourceKind.CONTRACT_SUBSCRIPTION:
        return Billing(Route.LEDGER, window_start, WindowState.CONFIRMED)
    route = Route.METER if source_kind is SourceKind.SUBSCRIPTION_ITEM else Route.INVOICE
    if not quantity:
        return Billing(route, window_start, WindowState.CONFIRMED)
    if route is Route.INVOICE:
        return Billing(route, window_start)
    if is_late(period, profile, moment=window_start, now=now):
        return bill_late(profile, moment=window_start, now=now)
    return Billing(route, _tellable(window_start, period, now))


def is_late(period: Period, profile: Profile, *, moment: datetime, now: datetime) -> bool:
    """Tell whether the bill that a moment belongs to is made."""
    if period.billed_at is not None or now >= period.end + CLOSE_AFTER:
        return True
    # Usage of a period that nobody knew of then, and that is over.
    return profile.period is not None and moment < profile.period.start and period.end <= profile.period.start


def bill_late(profile: Profile, *, moment: datetime, now: datetime) -> Billing:
    """Return what the product's policy makes of usage whose bill is made."""
    policy = late_policy(profile.metadata)
    if policy is LatePolicy.DROP_AND_RECORD:
        return Billing(Route.METER, moment, WindowState.REJECTED, DROPPED_LATE, policy)
    has_next = profile.period is not None and (profile.ended_at is None or now < profile.ended_at)
    if policy is LatePolicy.BILL_NEXT and has_next:
        return Billing(Route.METER, now.replace(microsecond=0), late_policy=policy)
    return Billing(Route.INVOICE, moment, late_policy=LatePolicy.ADJUST)


def plan(revision: Revision, *, period: Period, looks_up: bool, now: datetime) -> Plan:
    """
    Decide what to do about a sealed revision; ``period`` is the one that it would be counted in.

    After a try whose end is not known, the sink's memory of identifiers is what makes another one harmless. Once that
    may be gone, or once the bill is made, the sink is asked first; and so it is, however soon, about what it refused
    before, because a refusal may be told of what was counted.
    """
    gone = now >= period.end + LAST_CALL or revision.counted_at < now - BEHIND + HOUR
    if revision.first_attempt_at is None or revision.last_attempt_at is None:
        return Plan.MOVE if gone else Plan.SEND
    was_refused = revision.pushed_at is not None
    if not looks_up or (now - revision.first_attempt_at < REMEMBERED and not gone and not was_refused):
        return Plan.SEND
    return Plan.LOOK if now - revision.last_attempt_at >= COUNTED_AFTER else Plan.WAIT


def counted_among(surplus: Decimal, doubtful: Sequence[Revision]) -> frozenset[str] | None:
    """
    Return the identifiers of those that were counted, given what the sink has beyond what is certain; None if unclear.

    Several sets may give the same sum. Any of them gives the same bill.
    """
    if len(doubtful) > MOST_DOUBTFUL:
        every = sum((revision.quantity for revision in doubtful), Decimal(0))
        doubt = {Decimal(0): frozenset[str](), every: frozenset(revision.identifier for revision in doubtful)}
        return doubt.get(surplus)
    for size in range(len(doubtful) + 1):
        for some in combinations(doubtful, size):
            if sum((revision.quantity for revision in some), Decimal(0)) == surplus:
                return frozenset(revision.identifier for revision in some)
    return None


def _named(fact: str) -> str:
    return f"kw_{hashlib.sha256(fact.encode()).hexdigest()[:48]}"


def _tellable(moment: datetime, period: Period, now: datetime) -> datetime:
    """Return the moment, or a younger one of the same period where the sink takes nothing so old."""
    if moment >= now - BEHIND + timedelta(days=1):
        return moment
    return min(now, period.end - timedelta(seconds=1)).replace(microsecond=0)


def _meter(spec: str, metadata: Mapping[str, str], limits: Mapping[str, int] | None, *, is_hard: bool) -> Meter | None:
    name, *how = spec.split(":")
    aggregation = how[0] if how else Aggregation.SUM.value
    if not _NAME.fullmatch(name) or aggregation not in set(Aggregation):
        return None
    distinct = how[1] if len(how) > 1 else None
    if (aggregation == Aggregation.UNIQUE) != bool(distinct):
        return None
    limit = _limit(name, metadata, limits)
    return Meter(name, Aggregation(aggregation), distinct, limit, is_hard=is_hard and limit is not None)


def _limit(name: str, metadata: Mapping[str, str], limits: Mapping[str, int] | None) -> Decimal | None:
    if limits is not None:
        return Decimal(limits[name]) if name in limits else None
    said = metadata.get(LIMIT_PREFIX + name, "")
    return Decimal(said) if said.isascii() and said.isdigit() else None
