"""
What a product's metadata says about usage, and how usage is cut into windows. Pure.

``meters`` names the meters, each by Stripe's ``event_name`` and how a period is added up unless that is a sum:
``api_calls, seats:max, users:unique:user_id``. ``limit_<meter>`` is what a period includes, ``usage_limits: hard`` has
events beyond it refused, ``late_usage`` is the policy for what comes after the bill.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from keywright.metering.models import Aggregation, LatePolicy, Meter, Window

HOUR = timedelta(hours=1)

SETTLE = timedelta(minutes=5)
"""How long a window rests after its end before it is sealed, so that what is under way needs no second revision."""

PUSH_EVENTS = 10_000
"""So many unsealed events in a window have it sealed before its hour is over."""

AHEAD = timedelta(minutes=5)
BEHIND = timedelta(days=35)
"""Stripe takes meter events up to five minutes ahead and 35 days old."""

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
LIMIT_PREFIX = "limit_"


def meters(metadata: Mapping[str, str], *, limits: Mapping[str, int] | None = None) -> dict[str, Meter]:
    """
    Return the meters of a product by name; what cannot be read is no meter.

    ``limits`` are those of a signed license, which bind where they differ from what the product says today.
    """
    is_hard = metadata.get("usage_limits") == "hard"
    found = (_meter(spec.strip(), metadata, limits, is_hard) for spec in metadata.get("meters", "").split(","))
    return {meter.name: meter for meter in found if meter is not None}


def late_policy(metadata: Mapping[str, str]) -> LatePolicy:
    """Return what becomes of usage that comes after the bill; the next bill has it unless the product says otherwise."""
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
    return f"kw_{hashlib.sha256(fact.encode()).hexdigest()[:48]}"


def _meter(spec: str, metadata: Mapping[str, str], limits: Mapping[str, int] | None, is_hard: bool) -> Meter | None:
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
