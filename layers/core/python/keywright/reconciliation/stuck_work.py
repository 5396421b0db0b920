"""
Events that are stored and that no worker has come to: each is hinted at again. Stripe is not asked.

The dispatcher hints every minute, quickly and without a trace. This look is the one that goes through all of them, says
what it found, and tells whether it was folded since. It folds nothing itself.
"""

from __future__ import annotations

from datetime import datetime

from keywright.platform.db import Row, Transaction
from keywright.reconciliation import repository, rules, service
from keywright.reconciliation.models import Counts, Difference, Drift, Page, Run
from keywright.stripe_sync import inbox

_PAGE = 200


def apply(tx: Transaction, run: Run, *, page_size: int = _PAGE, now: datetime) -> None:
    """Hint at a page of stuck events, file them, and move the cursor behind the page."""
    if not service.hold(tx, run):
        return
    due_at, event_id = rules.overdue_place(run.page_cursor)
    before = run.covers_at - rules.STUCK_AFTER
    rows = repository.list_stuck(tx, before=before, after_due=due_at, after_id=event_id, limit=page_size)
    drift = sum(service.record_drift(tx, run, _stuck(row), now=now) for row in rows)
    inbox.hint(tx, [row["event_id"] for row in rows])
    cursor = rules.overdue_cursor(rows[-1]["due_at"], rows[-1]["event_id"]) if len(rows) == page_size else None
    if cursor is None:
        # What is not overdue any more was looked at by a worker, whatever it made of it.
        repository.heal_drift(tx, run, object_ids=repository.list_open_objects(tx, run, limit=1000), now=now)
    counts = Counts(examined=len(rows), received=len(rows), drift=drift)
    service.turn_page(tx, run, Page((), now, cursor), counts, now=now)


def _stuck(row: Row) -> Drift:
    cause = "its hints were lost, or no worker answers them"
    if row["waiting_for"] is not None:
        cause = f"nobody has looked again whether {row['waiting_for']} has come"
    return Drift("event", row["event_id"], [Difference("state", row["state"], "PROCESSED")], cause[:500])
