"""Rows of ``license_activations``. Seats are counted and taken under the lock of the license's row."""

from __future__ import annotations

from datetime import datetime

from keywright.licensing.activations.rules import Activation
from keywright.platform import sql
from keywright.platform.db import Transaction

_sql = sql.load(__file__)


def count(tx: Transaction, *, license_sid: str) -> int:
    """Return how many seats are taken."""
    row = tx.one(_sql.count_activations, license_sid=license_sid)
    return int(row["taken"]) if row else 0


def find(tx: Transaction, *, license_sid: str, fingerprint: str) -> Activation | None:
    """Return the seat of a machine, or None."""
    row = tx.one(_sql.find_activation, license_sid=license_sid, fingerprint=fingerprint)
    return None if row is None else Activation(**row)


def find_by_sid(tx: Transaction, *, license_sid: str, activation_sid: str) -> Activation | None:
    """Return a seat of a license, or None."""
    if not activation_sid.isascii():
        return None
    row = tx.one(_sql.get_activation, license_sid=license_sid, activation_sid=activation_sid)
    return None if row is None else Activation(**row)


def list_page(tx: Transaction, *, license_sid: str, after: str, limit: int) -> list[Activation]:
    """Return seats that were taken after the one named, the oldest first."""
    rows = tx.all(_sql.list_activations, license_sid=license_sid, after=after, limit=limit)
    return [Activation(**row) for row in rows]


def list_dead(tx: Transaction, *, license_sid: str, before: datetime, limit: int) -> list[Activation]:
    """Return seats whose machines have been silent since then, the longest silent first."""
    rows = tx.all(_sql.list_dead, license_sid=license_sid, before=before, limit=limit)
    return [Activation(**row) for row in rows]


def add(
    tx: Transaction, *, activation_sid: str, license_sid: str, fingerprint: str, label: str | None, now: datetime
) -> bool:
    """Take a seat; False if the machine has one."""
    return tx.insert_new(
        _sql.add_activation,
        unique_key="uq_license_activations_machine",
        activation_sid=activation_sid,
        license_sid=license_sid,
        fingerprint=fingerprint,
        label=label,
        now=now,
    )


def touch(tx: Transaction, *, activation_sid: str, now: datetime) -> None:
    """Note that a machine was heard of."""
    tx.run(_sql.touch_activation, activation_sid=activation_sid, now=now)


def remove(tx: Transaction, *, license_sid: str, activation_sid: str) -> None:
    """Give a seat back."""
    tx.run(_sql.remove_activation, license_sid=license_sid, activation_sid=activation_sid)
