"""Rows of ``stripe_events`` (immutable) and ``stripe_event_work`` (what became of them)."""

from __future__ import annotations

from datetime import datetime

from keywright.platform import sql
from keywright.platform.db import Transaction
from keywright.stripe_sync.models import Ignored, Outcome, Parked, Pending, StripeEvent

_sql = sql.load(__file__)

_PENDING = frozenset({"RECEIVED", "PARKED"})
_NOT_STORED = frozenset({"subject", "previous"})  # both stand in the body


def add_event(tx: Transaction, event: StripeEvent, *, now: datetime) -> bool:
    """Store an event and its work row; False if it is there already."""
    fields = {name: value for name, value in vars(event).items() if name not in _NOT_STORED}
    if not tx.insert_new(_sql.add_event, unique_key="PRIMARY", **fields, now=now):
        return False
    tx.run(_sql.add_work, event_id=event.event_id, now=now)
    return True


def lock_pending(tx: Transaction, *, event_id: str) -> Pending | None:
    """Return an event that is still to be folded, its work row locked; None if it is done."""
    work = tx.one(_sql.lock_work, event_id=event_id)
    event = tx.one(_sql.get_body, event_id=event_id) if work else None
    return Pending(bytes(event["body"]), work["attempts"]) if work and event else None


def is_pending(tx: Transaction, *, event_id: str) -> bool:
    """Tell whether a stored event still waits for its fold, without taking any lock."""
    row = tx.one(_sql.find_work_state, event_id=event_id)
    return row is not None and row["state"] in _PENDING


def find_latest(tx: Transaction, *, object_id: str) -> bytes | None:
    """Return the body of the latest stored event about an object, whatever became of it."""
    row = tx.one(_sql.find_latest, object_id=object_id)
    return None if row is None else bytes(row["body"])


def finish(tx: Transaction, *, event_id: str, outcome: Outcome, due_at: datetime) -> None:
    """Record what became of an event whose work row the caller holds; a parked one is due again then."""
    tx.run(
        _sql.finish_work,
        event_id=event_id,
        state=type(outcome).__name__.upper(),
        reason=outcome.reason if isinstance(outcome, Ignored) else None,
        waiting_for=outcome.waiting_for if isinstance(outcome, Parked) else None,
        due_at=due_at,
    )


def fail(tx: Transaction, *, event_id: str, reason: str, due_at: datetime, max_attempts: int) -> None:
    """Count a failed fold; at the last attempt the event is DEAD."""
    tx.run(_sql.fail_work, event_id=event_id, reason=reason, due_at=due_at, max_attempts=max_attempts)


def release(tx: Transaction, *, waiting_for: str) -> list[str]:
    """Return the events that waited for this object to RECEIVED; answer their ids."""
    event_ids = [row["event_id"] for row in tx.all(_sql.list_waiting, waiting_for=waiting_for)]
    if event_ids:
        tx.run(_sql.release, event_ids=event_ids)
    return event_ids


def list_stuck(tx: Transaction, *, before: datetime, limit: int) -> list[str]:
    """Return events that should have been folded by then."""
    return [row["event_id"] for row in tx.all(_sql.list_stuck, before=before, limit=limit)]
