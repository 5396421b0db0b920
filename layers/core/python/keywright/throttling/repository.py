"""Rows of ``throttles``."""

from __future__ import annotations

from datetime import datetime

from keywright.platform import sql
from keywright.platform.db import Transaction

_sql = sql.load(__file__)


def lock_bucket(tx: Transaction, *, bucket: bytes, now: datetime) -> datetime | None:
    """Return until when the bucket is in debt; it stays so until the transaction ends."""
    tx.run(_sql.open_bucket, bucket=bucket, now=now)
    row = tx.one(_sql.lock_bucket, bucket=bucket)
    return None if row is None else row["paid_until"]


def set_paid_until(tx: Transaction, *, bucket: bytes, paid_until: datetime) -> None:
    """Set until when the bucket is in debt."""
    tx.run(_sql.set_paid_until, bucket=bucket, paid_until=paid_until)


def drop_full(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget buckets without debt; return how many."""
    return tx.run(_sql.drop_full, now=now, limit=limit)
