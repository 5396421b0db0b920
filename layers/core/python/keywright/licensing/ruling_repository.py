"""Rows of ``license_causes``, ``license_editions`` and ``revocation_lists``: what was decided here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from keywright.licensing.editions import Edition, EditionKind
from keywright.licensing.models import Cause, GivenCause, Rule
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


@dataclass(frozen=True)
class StoredList:
    """A revocation list as it was signed. ``content_epoch`` is the first epoch that said the same."""

    epoch: int
    content_epoch: int
    token: str
    digest: str
    content_hash: str
    issued_at: datetime
    next_update: datetime


def add_cause(tx: Transaction, cause: Cause, *, license_sid: str, note: str | None, now: datetime) -> bool:
    """Keep a cause that was given; False if it was given before."""
    return tx.insert_new(
        _sql.add_given, unique_key="PRIMARY", license_sid=license_sid, note=note, now=now, **vars(cause)
    )


def lift_cause(tx: Transaction, *, license_sid: str, rule: Rule, subject: str, now: datetime) -> bool:
    """Let a given cause hold no more; False if it did not."""
    return tx.run(_sql.lift_given, license_sid=license_sid, rule=rule, subject=subject, now=now) > 0


def list_causes(tx: Transaction, *, license_sid: str) -> list[GivenCause]:
    """Return every cause that was given for a license, lifted ones as well, in the order of their giving."""
    return [
        GivenCause(
            Cause(Rule(row["rule"]), row["subject"], row["effective_at"]),
            row["observed_at"],
            row["note"],
            row["lifted_at"],
        )
        for row in tx.all(_sql.list_given, license_sid=license_sid)
    ]


def add_edition(tx: Transaction, edition: Edition, *, license_sid: str) -> None:
    """Append an edition of a license that the caller has locked."""
    tx.run(_sql.add_edition, license_sid=license_sid, **vars(edition))


def list_editions(tx: Transaction, *, license_sid: str) -> list[Edition]:
    """Return the editions of a license, the oldest first."""
    rows = tx.all(_sql.list_editions, license_sid=license_sid)
    return [Edition(**{**row, "kind": EditionKind(row["kind"]), "by_staff": bool(row["by_staff"])}) for row in rows]


def list_last_editions(tx: Transaction, *, after: str, limit: int) -> list[tuple[str, int]]:
    """Return licenses that were issued anew, with the edition that counts, in the order of their sids."""
    rows = tx.all(_sql.list_last_editions, after=after, limit=limit)
    return [(row["license_sid"], row["edition_no"]) for row in rows]


def list_revoked(tx: Transaction, *, after: str, limit: int) -> list[Row]:
    """Return licenses that are revoked, with their causes, in the order of their sids."""
    return tx.all(_sql.list_revoked, after=after, limit=limit)


def add_list(tx: Transaction, stored: StoredList, *, kid: str) -> bool:
    """Append a signed list; False if another one has its epoch."""
    return tx.insert_new(_sql.add_list, unique_key="PRIMARY", kid=kid, **vars(stored))


def find_last_list(tx: Transaction) -> StoredList | None:
    """Return the list of the highest epoch; None before the first."""
    row = tx.one(_sql.find_last_list)
    return None if row is None else StoredList(**row)


def find_epoch_at(tx: Transaction, *, moment: datetime) -> int:
    """Return the epoch since which the list that was the newest at a moment said what it said; 0 before the first."""
    row = tx.one(_sql.find_epoch_at, moment=moment)
    return 0 if row is None else int(row["content_epoch"])
