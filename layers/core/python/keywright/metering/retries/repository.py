"""Rows of ``usage_revisions`` that were refused, for whoever takes them up again."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def list_refused(
    tx: Transaction,
    *,
    license_sid: str | None,
    meter: str | None,
    code: str | None,
    final: Collection[str],
    limit: int,
) -> list[str]:
    """Return the identifiers of what was refused, unless for a final reason, the oldest first."""
    wanted = {"license_sid": license_sid, "meter": meter, "code": code}
    rows = tx.all(_sql.list_refused, **wanted, final=sorted(final), limit=limit)
    return [row["identifier"] for row in rows]


def lock_refused(tx: Transaction, identifiers: Sequence[str]) -> list[Row]:
    """Lock those that are still refused; return ``{identifier, license_sid, meter, quantity, route, code, …}``."""
    return tx.all(_sql.lock_refused, identifiers=list(identifiers)) if identifiers else []


def reopen(tx: Transaction, identifiers: Sequence[str]) -> None:
    """Have them decided about again; what the sink has heard of stays doubtful."""
    if identifiers:
        tx.run(_sql.reopen, identifiers=list(identifiers))
