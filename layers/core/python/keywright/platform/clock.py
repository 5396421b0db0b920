"""The one place that reads the wall clock. Functions call it; everything below them is given ``now``."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment: aware, UTC, microseconds."""
    return datetime.fromtimestamp(time.time(), tz=UTC)


def from_unix(seconds: int) -> datetime:
    """Return the aware UTC moment of a Unix time, as Stripe and tokens write it."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def to_unix(moment: datetime) -> int:
    """Return whole Unix seconds, rounded down."""
    return int(moment.timestamp() // 1)


def to_wire(moment: datetime) -> str:
    """Return ISO 8601 with milliseconds and ``Z``, the form of every time in our answers."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
