"""Rows of ``idempotency_records``. Times are Unix seconds and milliseconds, as the library counts them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


@dataclass(frozen=True)
class Claim:
    """A key that a request is about to be answered under, and until when."""

    record_key: bytes
    payload_hash: str
    claimed_until: int | None
    expires_at: int


def claim(tx: Transaction, wanted: Claim) -> bool:
    """Take a key that nobody has used; False if somebody has."""
    return tx.insert_new(_sql.claim_record, unique_key="PRIMARY", **asdict(wanted))


def reclaim(tx: Transaction, wanted: Claim, *, now_s: int) -> bool:
    """
    Take a key whose answer has expired or whose worker ran out of time; False if it is held or answered.

    In a transaction of its own: after a refused insertion everybody shares a lock on the row, and nobody could
    change it.
    """
    return tx.run(_sql.reclaim_record, now_s=now_s, now_ms=now_s * 1000, **asdict(wanted)) == 1


def find(tx: Transaction, *, record_key: bytes) -> Row | None:
    """Return what is known under the key."""
    return tx.one(_sql.find_record, record_key=record_key)


def complete(tx: Transaction, *, record_key: bytes, answer: str, expires_at: int) -> None:
    """Keep the answer."""
    tx.run(_sql.complete_record, record_key=record_key, answer=answer, expires_at=expires_at)


def drop(tx: Transaction, *, record_key: bytes) -> None:
    """Forget the key, so that it may be used again."""
    tx.run(_sql.drop_record, record_key=record_key)


def drop_expired(tx: Transaction, *, now_s: int, limit: int) -> int:
    """Forget what has been kept long enough; return how many."""
    return tx.run(_sql.drop_expired, now_s=now_s, limit=limit)
