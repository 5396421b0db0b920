"""The inbox in numbers, for those who watch it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from keywright.platform import sql
from keywright.platform.db import Transaction

_sql = sql.load(__file__)

_WATCHED = timedelta(days=7)


@dataclass(frozen=True)
class InboxFigures:
    """How long the oldest event waits for its fold, and how many were given up within a week or wait for others."""

    wait_s: float
    dead: int
    parked: int


def read_figures(tx: Transaction, *, now: datetime) -> InboxFigures:
    """Return the figures of the moment."""
    row = tx.one(_sql.read_figures, dead_since=now - _WATCHED)
    assert row is not None
    since = row["waits_since"]
    wait_s = max((now - since).total_seconds(), 0.0) if since else 0.0
    return InboxFigures(wait_s=wait_s, dead=int(row["dead"]), parked=int(row["parked"]))
