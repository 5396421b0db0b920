"""The arithmetic of a bucket: the generic cell rate algorithm, which needs one moment of memory."""

from __future__ import annotations

from datetime import datetime

from keywright.throttling.models import Limit, Paid, Wait


def take(limit: Limit, *, paid_until: datetime | None, now: datetime) -> Paid | Wait:
    """
    Grant a try or name the wait for the next. A try costs one interval; the debt may grow to ``burst`` intervals.

    So any stretch of time T holds at most ``burst + T / interval`` tries, whoever sends them and however fast.
    """
    until = max(now, paid_until or now) + limit.interval
    excess = until - now - limit.burst * limit.interval
    return Wait(excess) if excess.total_seconds() > 0 else Paid(until)


def give_back(limit: Limit, *, paid_until: datetime) -> datetime:
    """Return the debt without its latest try: a login that succeeded was no guess."""
    return paid_until - limit.interval
