"""Windows as they are read: with where they stand, and the rows behind them."""

from __future__ import annotations

from datetime import datetime

from keywright.metering.models import UsageEvent
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def list_windows(
    tx: Transaction,
    *,
    license_sid: str,
    customer_sid: str,
    meter: str | None,
    start: datetime,
    end: datetime,
    limit: int,
) -> list[Row]:
    """Return windows of a license of the customer that begin in a span, the oldest first."""
    owned = {"license_sid": license_sid, "customer_sid": customer_sid, "meter": meter}
    return tx.all(_sql.list_windows, **owned, span_start=start, span_end=end, limit=limit)


def list_events_of(tx: Transaction, *, identifier: str) -> list[UsageEvent]:
    """Return the events that one revision of a window was made of."""
    return [UsageEvent(**row) for row in tx.all(_sql.list_events_of, identifier=identifier)]
