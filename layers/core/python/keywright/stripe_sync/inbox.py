"""The way in: store an event for ever, hint the worker, find what the hints forgot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from keywright.platform import queue
from keywright.platform.db import Transaction
from keywright.stripe_sync import repository, rules
from keywright.stripe_sync.models import Arrival, EntrySource, StripeEvent

PATIENCE = timedelta(seconds=30)
"""How long a hint may take before the dispatcher sends another."""


def receive(tx: Transaction, event: StripeEvent, *, arrival: Arrival | None = None, now: datetime) -> bool:
    """
    Store an event; False if it was there. The hint goes out once the row is durable.

    A second delivery of an event that still waits for its fold is a hint too. ``arrival`` is how it came, which the
    first one says for ever; None where the log is folded elsewhere, and nothing came.
    """
    is_new = repository.add_event(tx, event, arrival=arrival, now=now)
    if is_new or repository.is_pending(tx, event_id=event.event_id):
        hint(tx, [event.event_id])
    return is_new


def receive_observations(
    tx: Transaction, subjects: Sequence[Mapping[str, Any]], *, at: datetime, now: datetime
) -> None:
    """
    Store objects that we fetched from Stripe; ``at`` is when we asked, not when the answer came.

    Events that were here by then happened before, even those whose time, by Stripe's clock, says otherwise.
    """
    second = at.replace(microsecond=0)
    for subject in subjects:
        known = repository.list_known(tx, object_id=subject["id"], since=second, received_by=at)
        observed = rules.read_event(rules.observation_event(subject, at=at, after=known))
        receive(tx, observed, arrival=Arrival(EntrySource.OBSERVED), now=now)


def release(tx: Transaction, *, waiting_for: str, now: datetime) -> None:
    """Let the events go on that waited for this object, such as ``customer:cus_123``."""
    hint(tx, repository.release(tx, waiting_for=waiting_for, now=now))


def reconsider(tx: Transaction, *, reconsider_on: str, now: datetime) -> None:
    """Have events folded again that were ignored because this object was not ours."""
    reopen(tx, repository.list_reconsidered(tx, reconsider_on=reconsider_on), now=now)


def hint_later(tx: Transaction, *, event_id: str, wait: timedelta) -> None:
    """Have a parked event looked at again after a while."""
    delay_s = int(wait.total_seconds())
    tx.after_commit(lambda: queue.hint(queue.EVENTS, [{"event_id": event_id}], delay_s=delay_s))


def hint_stuck(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Hint the worker about events that were stored and not folded; return how many."""
    event_ids = repository.list_stuck(tx, before=now - PATIENCE, limit=limit)
    hint(tx, event_ids)
    return len(event_ids)


def find_latest(tx: Transaction, *, object_id: str) -> StripeEvent | None:
    """Return the youngest stored event about an object, whatever became of it."""
    body = repository.find_latest(tx, object_id=object_id)
    return None if body is None else rules.read_event(body)


def refold(tx: Transaction, *, object_ids: Sequence[str], now: datetime) -> int:
    """Have objects folded again, as if the youngest event of each had just come; return how many."""
    latest = [event for object_id in object_ids if (event := find_latest(tx, object_id=object_id)) is not None]
    reopen(tx, [event.event_id for event in latest], now=now)
    return len(latest)


def reopen(tx: Transaction, event_ids: list[str], *, now: datetime) -> None:
    """Have events folded again, whatever became of them."""
    if event_ids:
        repository.reopen(tx, event_ids=event_ids, now=now)
        hint(tx, event_ids)


def hint(tx: Transaction, event_ids: list[str]) -> None:
    """Tell the worker of stored events, once this is committed."""
    if event_ids:
        tx.after_commit(lambda: queue.hint(queue.EVENTS, [{"event_id": event_id} for event_id in event_ids]))
