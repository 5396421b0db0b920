"""What staff sees of the inbox and does to it, and the figures that are watched. What Stripe sent never changes."""

from __future__ import annotations

from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.platform import paging
from keywright.platform.db import Transaction
from keywright.platform.paging import CursorInvalid, Page
from keywright.stripe_sync import inbox, record_repository
from keywright.stripe_sync.models import (
    EventFigures,
    EventNotFound,
    EventNotRetryable,
    EventRecord,
    EventSelection,
    WorkState,
)

_RETRYABLE = frozenset({WorkState.DEAD, WorkState.PARKED, WorkState.IGNORED})


def list_events(tx: Transaction, selection: EventSelection, *, limit: int, cursor: str | None) -> Page[EventRecord]:
    """
    Return a page of stored events, those that came last first.

    :raises CursorInvalid: if the cursor is none that a list gave out
    """
    before_at, before_id = _place(paging.decode(cursor))
    found = record_repository.list_events(tx, selection, before_at=before_at, before_id=before_id, limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda event: f"{event.received_at.isoformat()} {event.event_id}")


def retry(tx: Transaction, *, event_id: str, actor: Actor, now: datetime) -> EventRecord:
    """
    Have an event folded again that was given up, waits, is overdue, or was found to be none of our business.

    :raises EventNotFound: if there is none
    :raises EventNotRetryable: if it is on its way or done
    """
    event = record_repository.lock_event(tx, event_id=event_id)
    if event is None:
        raise EventNotFound(f"No stored event has the id {event_id}.")
    _check_retryable(event, now=now)
    inbox.reopen(tx, [event_id], now=now)
    audit.record(
        tx,
        "STRIPE_EVENT_RETRIED",
        actor=actor,
        subject=event_id,
        old={"state": event.state, "reason": event.reason, "waiting_for": event.waiting_for},
        new={"state": WorkState.RECEIVED, "type": event.event_type, "object": event.object_id},
        now=now,
    )
    reopened = record_repository.find_event(tx, event_id=event_id)
    assert reopened is not None
    return reopened


def _check_retryable(event: EventRecord, *, now: datetime) -> None:
    """
    Refuse an event that is done, or that a hint may just be bringing to a worker.

    :raises EventNotRetryable: if it is one of those
    """
    overdue = event.state is WorkState.RECEIVED and event.due_at <= now - inbox.PATIENCE
    if event.state not in _RETRYABLE and not overdue:
        raise EventNotRetryable(
            f"The event is {event.state}; DEAD, PARKED and IGNORED ones are folded again, and RECEIVED ones if overdue."
        )


def read_figures(tx: Transaction, *, now: datetime) -> EventFigures:
    """Return how many events wait or were given up, and since when the oldest ones wait."""
    return record_repository.read_figures(tx, now=now)


def _place(key: str) -> tuple[datetime | None, str]:
    if not key:
        return None, ""
    at, _, event_id = key.partition(" ")
    try:
        return datetime.fromisoformat(at), event_id
    except ValueError as problem:
        raise CursorInvalid("The cursor is not valid; start again without one.") from problem
