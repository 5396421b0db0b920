"""
Days and cycles where the customer is. Pure, but for the zones' own table.

Cycles are counted in days of the customer's calendar, and a day begins at midnight there: where the clock skips that,
at the moment of the skip. So a day of 23 or 25 hours is a day like any other.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from keywright.platform.errors import Invalid


class TimeZoneUnknown(Invalid):
    """The name is none of the IANA time zone database's."""

    code = "time-zone-unknown"
    title = "There is no such time zone"


def zone(name: str) -> ZoneInfo:
    """
    Return a time zone by its IANA name, such as ``Europe/Madrid``.

    :raises TimeZoneUnknown: if there is none
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise TimeZoneUnknown(f"{name!r} is no time zone; one is Europe/Madrid.") from problem


def begins(day: date, where: ZoneInfo) -> datetime:
    """Return the moment at which a day begins."""
    return datetime.combine(day, time(), tzinfo=where).astimezone(UTC)


def day_of(moment: datetime, where: ZoneInfo) -> date:
    """Return the day that it is at a moment."""
    return moment.astimezone(where).date()


def months_after(anchor: date, months: int) -> date:
    """Return the anchor's day so many months on, or the last day of that month if it is shorter."""
    year, month0 = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return date(year, month0 + 1, min(anchor.day, calendar.monthrange(year, month0 + 1)[1]))
