"""Reads the history of an object from the inbox, under its folder's lock, and has Stripe asked where it is in doubt."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import TypeVar

from keywright.jobs import service as jobs
from keywright.platform.clock import from_unix, to_unix
from keywright.platform.db import Transaction
from keywright.stripe_sync import repository, rules
from keywright.stripe_sync.fold import Kind
from keywright.stripe_sync.kinds import KINDS
from keywright.stripe_sync.models import Bench, StripeEvent
from keywright.stripe_sync.observing import History, history_of, observe, says_only_gone

State = TypeVar("State", bound=Hashable)

_SETTLING = timedelta(seconds=10)
"""How long late events may take before doubt is worth a request."""

_SLOT_S = 20
"""At most one request for an object in so many seconds."""


def load(tx: Transaction, desk: Bench, kind: Kind[State], *, object_id: str) -> History[State] | None:
    """Return what the inbox knows of an object; None if nothing."""
    return history_of(list_events(tx, desk, object_id=object_id), kind, object_id=object_id)


def load_for(tx: Transaction, desk: Bench, kind: Kind[State], event: StripeEvent) -> History[State]:
    """
    Return what the inbox knows of the object of an event that is being folded, and settle whether it is in doubt.

    The event itself must be readable: what it raises otherwise is the event's failure.
    """
    if not says_only_gone(event):
        observe(event, kind)
    history = load(tx, desk, kind, object_id=event.object_id)
    assert history is not None
    doubt(tx, history, reason=history.folded.ambiguous, now=desk.now)
    return history


def doubt(tx: Transaction, history: History[State], *, reason: str | None, now: datetime) -> None:
    """Note whether an object is in doubt; if it is, have it fetched once late events have had their time."""
    repository.set_doubt(
        tx,
        object_type=history.kind.object_type,
        object_id=history.object_id,
        reason=reason,
        since=history.folded.decided_by.moment,
    )
    if reason is not None:
        request_fetch(tx, object_type=history.kind.object_type, object_id=history.object_id, reason=reason, now=now)


def request_fetch(tx: Transaction, *, object_type: str, object_id: str, reason: str, now: datetime) -> None:
    """Enqueue the job that asks Stripe for an object. A burst of requests is one job: each slot of time has its own."""
    slot = -(-to_unix(now + _SETTLING) // _SLOT_S)
    jobs.enqueue(
        tx,
        "stripe_sync.refetch",
        {"object_type": object_type, "object_id": object_id, "reason": reason},
        key=f"{object_id}:{slot}",
        now=now,
        due_at=from_unix(slot * _SLOT_S),
    )


def is_in_doubt(tx: Transaction, *, object_type: str, object_id: str) -> bool:
    """Tell whether an object still has to be fetched, now that late events may have settled it."""
    events = [rules.read_event(body) for body in repository.list_bodies(tx, object_id=object_id)]
    history = history_of(events, KINDS[object_type], object_id=object_id)
    return history is None or history.folded.ambiguous is not None or repository.is_doubted(tx, object_id=object_id)


def list_events(tx: Transaction, desk: Bench, *, object_id: str) -> list[StripeEvent]:
    """Return every stored event about an object that is of our account and mode, the youngest first."""
    events = [rules.read_event(body) for body in repository.list_bodies(tx, object_id=object_id)]
    return [
        event
        for event in events
        if rules.foreign_reason(event, account_id=desk.account_id, livemode=desk.livemode) is None
    ]
