"""Rows of ``usage_drift`` and ``usage_error_reports``: what was counted otherwise, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from keywright.metering.models import Group
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def note(tx: Transaction, group: Group, *, ours: Decimal, theirs: Decimal, now: datetime) -> bool:
    """Note that sums differ, or by how much they do now; False if that they differ was known already."""
    sums = {"hour_start": group.hour, "ours": ours, "theirs": theirs}
    place = {"stripe_customer_id": group.stripe_customer_id, "meter": group.meter}
    if tx.insert_new(_sql.add_drift, unique_key="uq_usage_drift_open", **place, **sums, now=now):
        return True
    tx.run(_sql.renew_drift, **place, **sums)
    return False


def heal(tx: Transaction, *, stripe_customer_id: str, meter: str, hours: Sequence[datetime], now: datetime) -> int:
    """Note that sums are equal again; return for how many hours they were not."""
    if not hours:
        return 0
    place = {"stripe_customer_id": stripe_customer_id, "meter": meter}
    return tx.run(_sql.heal_drift, **place, hours=list(hours), now=now)


def read_figures(tx: Transaction, *, since: datetime) -> Row:
    """Return ``{drift, rejected, waiting_since}``."""
    row = tx.one(_sql.read_figures, since_at=since)
    assert row is not None
    return row


def add_report(
    tx: Transaction, *, report_id: str, code: str, error_count: int, unnamed: int, reported_at: datetime, now: datetime
) -> bool:
    """Insert what a report says of one code, once; False if it is known."""
    said = {"code": code, "error_count": error_count, "unnamed": unnamed, "reported_at": reported_at}
    return tx.insert_new(_sql.add_report, unique_key="PRIMARY", report_id=report_id, **said, now=now)


def find_unnamed(tx: Transaction, *, since: datetime) -> str | None:
    """Return the code of the newest report since then that did not name all that it counted."""
    row = tx.one(_sql.find_unnamed, reported_at=since)
    return None if row is None else str(row["code"])
