"""Writes audit rows. There is no update and no delete: the database refuses both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from keywright.audit.models import Actor
from keywright.platform import sql
from keywright.platform.db import Transaction

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


def _text(value: Mapping[str, object] | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, default=str)
