"""Rows of ``mail_suppressions``."""

from __future__ import annotations

from datetime import datetime

from keywright.mail.models import Suppression, SuppressionReason
from keywright.platform import sql
from keywright.platform.db import Transaction

_sql = sql.load(__file__)


def add_suppression(tx: Transaction, suppression: Suppression, *, now: datetime) -> None:
    """Insert a suppression unless the address has one."""
    tx.run(
        _sql.add_suppression,
        address=suppression.address,
        reason=suppression.reason,
        detail=suppression.detail,
        feedback_id=suppression.feedback_id,
        now=now,
    )


def find_suppression(tx: Transaction, *, address: str) -> tuple[SuppressionReason, datetime] | None:
    """Return why and since when the address gets no mail."""
    row = tx.one(_sql.find_suppression, address=address)
    return None if row is None else (SuppressionReason(row["reason"]), row["suppressed_at"])
