"""Rows of ``stripe_events`` (immutable) and ``stripe_event_work`` (what became of them)."""

from __future__ import annotations

import json
from datetime import datetime

from keywright.platform import sql
from keywright.platform.db import Transaction
from keywright.stripe_sync import rules
from keywright.stripe_sync.models import Arrival, Ignored, Outcome, Parked, Pending, StripeEvent

_sql = sql.load(__file__)

_PENDING = frozenset({"RECEIVED", "PARKED"})
_NOT_STORED = frozenset({"subject", "previous", "after"})  # they stand in the body


def add_event(tx: Transaction, event: StripeEvent, *, arrival: Arrival | None, now: datetime) -> bool:
    """Store an event, how it came, and its work row; False if it is there already."""
    fields = {name: value for name, value in vars(event).items() if name not in _NOT_STORED}
    headers = json.dumps(vars(arrival.headers), sort_keys=True) if arrival and arrival.headers else None
    came = {"source": arrival and arrival.source, "headers": headers}
    if not tx.insert_new(_sql.add_event, unique_key="PRIMARY", **fields, **came, now=now):
        return False
    tx.run(_sql.add_work, event_id=event.event_id, correlation_id=rules.find_correlation_id(event), now=now)
    return True


def lock_pending(tx: Transaction, *, event_id: str) -> Pending | None:
    """Return an event that is still to be folded, its work row locked; None if it is done."""
    work = tx.one(_sql.lock_work, event_id=event_id)
    event = tx.one(_sql.get_body, event_id=event_id) if work else None
    return Pending(bytes(event["body"]), work["attempts"], work["failures"]) if work and event else None


def is_pending(tx: Transaction, *, event_id: str) -> bool:
    """Tell whether a stored event still waits for its fold, without taking any lock."""
    row = tx.one(_sql.find_work_state, event_id=event_id)
    return row is not None and row["state"] in _PENDING


def find_body(tx: Transaction, *, event_id: str) -> bytes | None:
    """Return what a stored event says, without taking any lock."""
    row = tx.one(_sql.get_body, event_id=event_id)
    return None if row is None else bytes(row["body"])


def list_bodies(tx: Transaction, *, object_id: str) -> list[bytes]:
    """Return what every stored event about an object says, whatever became of it."""
    return [bytes(row["body"]) for row in tx.all(_sql.list_bodies, object_id=object_id)]


def list_received(tx: Transaction, *, object_ids: list[str], received_by: datetime) -> list[tuple[bytes, datetime]]:
    """Return what every event about these objects says that was here by then, and when it came."""
    rows = tx.all(_sql.list_received, object_ids=object_ids, received_by=received_by)
    return [(bytes(row["body"]), row["received_at"]) for row in rows]


def list_known(tx: Transaction, *, object_id: str, since: datetime, received_by: datetime) -> list[str]:
    """Return events about an object that claim to be as young as ``since`` and were here by then."""
    rows = tx.all(_sql.list_known, object_id=object_id, since=since, received_by=received_by)
    return [row["event_id"] for row in rows]


def was_ignored(tx: Transaction, *, object_id: str) -> bool:
    """Tell whether an object was seen and found to be none of our business."""
    return tx.one(_sql.find_ignored, object_id=object_id) is not None


def lock(tx: Transaction, lock_key: str) -> None:
    """Take turns with whoever works on the same customer's purchases, or on the same object, until commit."""
    tx.run(_sql.ensure_lock, lock_key=lock_key)
    tx.one(_sql.take_lock, lock_key=lock_key)


def set_doubt(tx: Transaction, *, object_type: str, object_id: str, reason: str | None, since: datetime) -> None:
    """Note that an object is in doubt, or that it no longer is."""
    if reason is None:
        tx.run(_sql.remove_doubt, object_id=object_id)
    else:
        tx.run(_sql.save_doubt, object_type=object_type, object_id=object_id, reason=reason, since=since)


def is_doubted(tx: Transaction, *, object_id: str) -> bool:
    """Tell whether an object is in doubt."""
    return tx.one(_sql.find_doubt, object_id=object_id) is not None


def add_refetch(tx: Transaction, *, object_type: str, object_id: str, reason: str, asked_at: datetime) -> None:
    """Count that doubt made us ask Stripe."""
    tx.run(_sql.add_refetch, object_type=object_type, object_id=object_id, reason=reason, asked_at=asked_at)


def count_refetches(tx: Transaction, *, since: datetime) -> int:
    """Return how often doubt has made us ask Stripe since then."""
    row = tx.one(_sql.count_refetches, since=since)
    return int(row["n"]) if row else 0


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
        reconsider_on=outcome.reconsider_on if isinstance(outcome, Ignored) else None,
        due_at=due_at,
    )


def fail(tx: Transaction, *, event_id: str, reason: str, due_at: datetime, max_failures: int) -> None:
    """Count a failed fold; after so many in a row the event is DEAD."""
    tx.run(_sql.fail_work, event_id=event_id, reason=reason, due_at=due_at, max_failures=max_failures)


def release(tx: Transaction, *, waiting_for: str, now: datetime) -> list[str]:
    """Return the events that waited for this object to RECEIVED; answer their ids."""
    event_ids = [row["event_id"] for row in tx.all(_sql.list_waiting, waiting_for=waiting_for)]
    if event_ids:
        tx.run(_sql.release, event_ids=event_ids, now=now)
    return event_ids


def list_reconsidered(tx: Transaction, *, reconsider_on: str) -> list[str]:
    """Return events that were ignored because of what this object was."""
    return [row["event_id"] for row in tx.all(_sql.list_reconsidered, reconsider_on=reconsider_on)]


def reopen(tx: Transaction, *, event_ids: list[str], now: datetime) -> None:
    """Return events to RECEIVED, with all their attempts, whatever became of them."""
    tx.run(_sql.reopen, event_ids=event_ids, now=now)


def list_stuck(tx: Transaction, *, before: datetime, limit: int) -> list[str]:
    """Return events that should have been folded by then."""
    return [row["event_id"] for row in tx.all(_sql.list_stuck, before=before, limit=limit)]
