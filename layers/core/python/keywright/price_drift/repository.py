"""Rows of ``price_comparisons`` and ``price_uncompared``."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from keywright.checkout import rules as checkout
from keywright.platform import sql
from keywright.platform.db import Row, Transaction
from keywright.price_drift.models import Comparison, Reason, Shown, Source, Uncompared

_sql = sql.load(__file__)


def save(tx: Transaction, subject_id: str, compared: Sequence[Comparison], uncompared: Sequence[Uncompared]) -> None:
    """
    Keep what was compared, and what was not; what was compared waits no longer.

    A line that was compared before stays as it was, unless arithmetic was all there was then, and what the buyer was
    shown is known now.
    """
    rows = [{**vars(found), "matched": int(found.matched)} for found in compared]
    tx.run_many(_sql.add_comparisons, rows)
    if shown := [found.line_id for found in compared if found.source is Source.PREVIEW]:
        # The lines are ours since they were inserted or found there: nobody writes one in between.
        tx.run(_sql.drop_arithmetic, subject_id=subject_id, line_ids=shown)
        tx.run_many(_sql.add_comparisons, rows)
    tx.run_many(_sql.add_uncompared, [vars(found) for found in uncompared])
    tx.run(_sql.drop_uncompared, subject_id=subject_id)


def list_compared(tx: Transaction, *, subject_id: str, line_ids: Collection[str]) -> dict[str, Source]:
    """Return those of the lines that were compared before, and with what."""
    if not line_ids:
        return {}
    rows = tx.all(_sql.list_compared, subject_id=subject_id, line_ids=sorted(line_ids))
    return {row["line_id"]: Source(row["source"]) for row in rows}


def list_waiting(tx: Transaction, *, price_id: str, reasons: Collection[Reason]) -> list[str]:
    """Return the invoices of which something waits for a price."""
    rows = tx.all(_sql.list_waiting, price_id=price_id, reasons=[str(reason) for reason in sorted(reasons)])
    return [row["subject_id"] for row in rows]


def list_purchases(tx: Transaction, *, customer_sid: str, subscription_id: str) -> list[str]:
    """Return the final invoices of a subscription that bill its purchase."""
    rows = tx.all(_sql.list_purchases, customer_sid=customer_sid, subscription_id=subscription_id)
    return [row["invoice_id"] for row in rows]


def find_shown(tx: Transaction, *, customer_sid: str, subscription_id: str) -> Shown | None:
    """Return what the buyer of a subscription was shown."""
    return _shown(tx.one(_sql.find_shown, customer_sid=customer_sid, subscription_id=subscription_id))


def find_shown_at(tx: Transaction, *, customer_sid: str, checkout_session_sid: str) -> Shown | None:
    """Return what the buyer was shown when a checkout was opened."""
    return _shown(tx.one(_sql.find_shown_at, customer_sid=customer_sid, checkout_session_sid=checkout_session_sid))


def count_comparisons(tx: Transaction, *, since: datetime, until: datetime) -> tuple[int, int]:
    """Return how many lines were compared in a time, and how many of them are equal."""
    row = tx.one(_sql.count_comparisons, since=since, until=until)
    assert row is not None
    return int(row["compared"]), int(row["matched"])


def count_uncompared(tx: Transaction, *, since: datetime, until: datetime) -> dict[Reason, int]:
    """Return how many lines were not compared, by what kept us from it."""
    rows = tx.all(_sql.count_uncompared, since=since, until=until)
    return {Reason(row["reason"]): int(row["found"]) for row in rows}


def list_drift(tx: Transaction, *, since: datetime, after: str, limit: int) -> list[Comparison]:
    """Return lines that differ."""
    rows = tx.all(_sql.list_drift, since=since, after=after, limit=limit)
    return [Comparison(**{**row, "source": Source(row["source"])}) for row in rows]


def list_uncompared(tx: Transaction, *, since: datetime, after: str, limit: int) -> list[Uncompared]:
    """Return lines that were not compared."""
    rows = tx.all(_sql.list_uncompared, since=since, after=after, limit=limit)
    return [Uncompared(**{**row, "reason": Reason(row["reason"])}) for row in rows]


def _shown(row: Row | None) -> Shown | None:
    if row is None:
        return None
    terms = {name: value for name, value in row.items() if name != "params"}
    return Shown(**terms, estimate=checkout.sells_usage(row["params"]))
