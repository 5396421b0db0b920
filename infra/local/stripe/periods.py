"""Where billing periods end. Pure: the month's end is clamped, always counted from the anchor."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime

_DAY_S = 86_400
_FIXED = {"day": _DAY_S, "week": 7 * _DAY_S}
_MONTHS = {"month": 1, "year": 12}


def period_end(anchor: int, interval: str, interval_count: int, *, periods: int = 1) -> int:
    """
    Return the end of the n-th period after ``anchor``, in seconds since the epoch.

    Counting from the anchor and not from the last end is what makes 31 January lead to 28 February and then back
    to 31 March.
    """
    if interval in _FIXED:
        return anchor + _FIXED[interval] * interval_count * periods
    start = datetime.fromtimestamp(anchor, UTC)
    months = start.year * 12 + start.month - 1 + _MONTHS[interval] * interval_count * periods
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def period_around(anchor: int, interval: str, interval_count: int, moment: int) -> tuple[int, int]:
    """Return the start and end of the period that holds ``moment``; the anchor may lie before or after it."""
    number = (moment - anchor) // (period_end(anchor, interval, interval_count) - anchor)
    # The first period's length only estimates the number where months differ in length.
    while period_end(anchor, interval, interval_count, periods=number) > moment:
        number -= 1
    while period_end(anchor, interval, interval_count, periods=number + 1) <= moment:
        number += 1
    return (
        period_end(anchor, interval, interval_count, periods=number),
        period_end(anchor, interval, interval_count, periods=number + 1),
    )
