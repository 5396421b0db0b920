"""
What usage is made of: records, hours, meters and the period of an export. Values only.

Folding records into hours stands here, because the machine that writes and the service that checks must do the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keywright_verify.usage.amounts import add

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

HOUR_S = 3600
_METER = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_RECORD_ID = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Period:
    """
    Seconds since 1970, UTC: from ``start`` up to, not including, ``end``.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """
    One use, as the product recorded it.
    """

    id: str
    meter: str
    time: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class HourUsage:
    """
    What one meter counted in one hour; an hour before the export's period was recorded late.
    """

    start: int
    meter: str
    count: int
    sum: Decimal
    max: Decimal
    last: Decimal

    def is_hour_of(self, period: Period) -> bool:
        """Tell whether an hour may begin here: on the hour or with the period, and before its end."""
        return self.start < period.end and self.start == hour_of(self.start, period)


@dataclass(frozen=True, slots=True)
class MeterUsage:
    """
    What one meter counted in this export (``count``, ``sum``), and in the chain of exports up to it.
    """

    count: int
    sum: Decimal
    counter: int
    total: Decimal


def is_meter(value: object) -> bool:
    """Tell whether it can be a meter's name."""
    return isinstance(value, str) and _METER.fullmatch(value) is not None


def is_record_id(value: object) -> bool:
    """Tell whether it can be a record's id."""
    return isinstance(value, str) and _RECORD_ID.fullmatch(value) is not None


def hour_of(time: int, period: Period) -> int:
    """
    Say when the hour of a use begins. An hour that the period's start cuts in two is two.
    """
    whole = time - time % HOUR_S
    return max(whole, period.start) if time >= period.start else whole


def by_hour(records: Iterable[UsageRecord], period: Period) -> list[HourUsage]:
    """
    Fold records, in the order of their time, into hours.
    """
    hours: dict[tuple[int, str], HourUsage] = {}
    for each in records:
        place = (hour_of(each.time, period), each.meter)
        known = hours.get(place)
        hours[place] = HourUsage(
            *place,
            count=known.count + 1 if known else 1,
            sum=add(known.sum, each.value) if known else each.value,
            max=max(known.max, each.value) if known else each.value,
            last=each.value,
        )
    return [hours[place] for place in sorted(hours)]
