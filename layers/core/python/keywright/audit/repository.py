"""Rows of the audit log and of its seals. There is no update and no delete: the database refuses both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from keywright.audit.models import Actor, ActorKind, Entry, EntryFilter, Head, Seal
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_entry(
    tx: Transaction,
    *,
    actor: Actor,
    action: str,
    subject: str,
    old: Mapping[str, object] | None,
    new: Mapping[str, object] | None,
    correlation_id: str | None,
    now: datetime,
) -> None:
    """Append one entry."""
    tx.run(
        _sql.add_entry,
        now=now,
        actor_kind=actor.kind,
        actor_sid=actor.sid,
        action=action,
        subject=subject,
        old=_text(old),
        new=_text(new),
        correlation_id=correlation_id,
    )


def list_entries(tx: Transaction, *, wanted: EntryFilter, before: int | None, limit: int) -> list[Entry]:
    """Return entries, newest first, whose id is below ``before``."""
    rows = tx.all(
        _sql.list_entries,
        before=before,
        action=wanted.action,
        actor_sid=wanted.actor_sid,
        subject_sid=wanted.subject_sid,
        begins=wanted.begins,
        ends=wanted.ends,
        limit=limit,
    )
    return [_entry(row) for row in rows]


def lock_sealing(tx: Transaction) -> None:
    """Wait until nobody else seals, and keep it so until the transaction ends."""
    tx.run(_sql.open_sealing)
    tx.one(_sql.lock_sealing)


def find_last_seal(tx: Transaction) -> Seal | None:
    """Return the end of the chain."""
    row = tx.one(_sql.find_last_seal)
    return None if row is None else Seal(**row)


def list_unsealed(tx: Transaction, *, after: int, limit: int) -> list[Entry]:
    """Return committed entries that no seal covers, by id, above ``after``."""
    return [_entry(row) for row in tx.all(_sql.list_unsealed, after=after, limit=limit)]


def add_seals(tx: Transaction, seals: list[Seal], *, now: datetime) -> None:
    """Append to the chain."""
    rows = [
        {"seal_no": seal.seal_no, "audit_id": seal.audit_id, "kid": seal.kid, "chain_hash": seal.chain_hash, "now": now}
        for seal in seals
    ]
    tx.run_many(_sql.add_seal, rows)


def add_head(tx: Transaction, head: Head, *, now: datetime) -> None:
    """Note where the chain ends now."""
    tx.run(_sql.add_head, seal_no=head.seal_no, chain_hash=head.chain_hash, now=now)


def find_last_head(tx: Transaction) -> Head | None:
    """Return the latest head on record."""
    row = tx.one(_sql.find_last_head)
    return None if row is None else Head(**row)


def list_heads(tx: Transaction, *, after: int, limit: int) -> list[Head]:
    """Return heads on record whose number follows ``after``."""
    return [Head(**row) for row in tx.all(_sql.list_heads, after=after, limit=limit)]


def list_sealed(tx: Transaction, *, after: int, limit: int) -> list[tuple[Seal, Entry | None]]:
    """Return seals in order with the entries they cover; None where an entry is gone."""
    found = []
    for row in tx.all(_sql.list_sealed, after=after, limit=limit):
        seal = Seal(row.pop("seal_no"), row.pop("sealed_id"), row.pop("kid"), row.pop("chain_hash"))
        found.append((seal, None if row["audit_id"] is None else _entry(row)))
    return found


def count_unsealed(tx: Transaction) -> int:
    """Return how many entries no seal covers yet."""
    row = tx.one(_sql.count_unsealed)
    return 0 if row is None else int(row["unsealed"])


def _entry(row: Row) -> Entry:
    return Entry(**{**row, "actor_kind": ActorKind(row["actor_kind"])})


def _text(value: Mapping[str, object] | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, default=str)
