"""Puts into the record what became of the license keys. It names keys; it never sees into one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from keywright.audit import service as audit
from keywright.audit.models import SYSTEM, Actor
from keywright.platform.db import Transaction


def record(
    tx: Transaction,
    *,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
    actor: Actor = SYSTEM,
    now: datetime,
) -> None:
    """Record each key that is new, or was changed."""
    known = {entry["kid"]: _told(entry) for entry in before}
    for entry in after:
        old, new = known.get(entry["kid"]), _told(entry)
        if old != new:
            audit.record(tx, "LICENSE_KEY_ROTATED", actor=actor, subject=str(entry["kid"]), old=old, new=new, now=now)


def _told(entry: Mapping[str, Any]) -> dict[str, object]:
    """Return what may be told of a key."""
    can_sign = "private_pem" in entry or "kms_key_id" in entry
    return {"not_before": entry.get("not_before"), "retire_at": entry.get("retire_at"), "can_sign": can_sign}
