"""Rows of ``price_comparisons``."""

from __future__ import annotations

from datetime import datetime

from keywright.platform import sql
from keywright.platform.db import Row, Transaction
from keywright.price_drift.models import Comparison, Source

_sql = sql.load(__file__)


def add_comparison(tx: Transaction, comparison: Comparison) -> None:
    """Insert a comparison unless the line was compared before."""
    tx.run(_sql.add_comparison, **vars(comparison), matched=int(comparison.matched))


def find_shown(tx: Transaction, *, customer_sid: str, subscription_id: str) -> Row | None:
    """Return ``{price_id, quantity, currency, amount_minor}`` of what the buyer of a subscription was shown."""
    return tx.one(_sql.find_shown, customer_sid=customer_sid, subscription_id=subscription_id)


def count_comparisons(tx: Transaction, *, since: datetime, until: datetime) -> tuple[int, int]:
    """Return how many lines were compared in a time, and how many of them are equal."""
    row = tx.one(_sql.count_comparisons, since=since, until=until)
    assert row is not None
    return int(row["compared"]), int(row["matched"])


def list_drift(tx: Transaction, *, since: datetime, after: str, limit: int) -> list[Comparison]:
    """Return lines that differ."""
    rows = tx.all(_sql.list_drift, since=since, after=after, limit=limit)
    return [Comparison(**{**row, "source": Source(row["source"])}) for row in rows]
