"""How we stand with Stripe in numbers, for those who watch it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from keywright.platform import sql
from keywright.platform.db import Transaction

_sql = sql.load(__file__)

# A sweep comes every six hours, mends what it finds, and looks again.
_MENDED_WITHIN = timedelta(hours=7)


@dataclass(frozen=True)
class DriftFigures:
    """What differs and has stayed so, what differs in the catalog, and since when nothing of a kind succeeded."""

    open_drift: int
    open_prices: int
    age_s: float


def read_figures(tx: Transaction, *, now: datetime) -> DriftFigures:
    """Return the figures of the moment; before the first look there is no age."""
    row = tx.one(_sql.read_figures, stays_since=now - _MENDED_WITHIN)
    assert row is not None
    last = row["last_success_at"]
    return DriftFigures(
        open_drift=int(row["open_drift"]),
        open_prices=int(row["open_prices"]),
        age_s=max((now - last).total_seconds(), 0.0) if last else 0.0,
    )
