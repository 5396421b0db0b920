"""Recording what was done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from keywright.audit import repository
from keywright.audit.models import Actor
from keywright.platform.db import Transaction


def record(
    tx: Transaction,
    action: str,
    *,
    actor: Actor,
    subject: str,
    now: datetime,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
) -> None:
    """Append an entry such as ``LICENSE_ISSUED`` about ``subject`` (a sid or a Stripe id) to the audit log."""
    repository.add_entry(
        tx, actor=actor, action=action, subject=subject, old=old, new=new, correlation_id=tx.correlation_id, now=now
    )
