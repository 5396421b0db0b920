"""
What schedules call. It does no work itself: it finds what waits or was abandoned, enqueues what recurs, and measures.

Fired twice, late or not at all, it does no harm: rows are locked, hints may repeat, recurring jobs have a key per
period.
"""

from __future__ import annotations

from typing import Any

from functions.dispatcher import measuring
from functions.dispatcher.measuring import Measured
from keywright.jobs import oversight, recurrence
from keywright.jobs import service as jobs
from keywright.licensing import service as licensing
from keywright.metering.drift import service as usage
from keywright.platform import db, log
from keywright.platform.db import Transaction
from keywright.price_drift import service as price_drift
from keywright.reconciliation import oversight as reconciliation
from keywright.stripe_sync import inbox
from keywright.stripe_sync import oversight as inbox_oversight

_LIMIT = 500


class ScheduleUnknown(Exception):
    """A schedule asks for something that nobody does; it must be seen to fail."""


def handler(event: object, _context: Any) -> dict[str, int]:
    """Carry out ``{"do": "dispatch"}`` or ``{"do": "enqueue", "kind": …}``."""
    match event:
        case {"do": "enqueue", "kind": str(kind)}:
            return _enqueue(kind)
        case {"do": "dispatch"}:
            return _dispatch()
        case _:
            raise ScheduleUnknown("A schedule says neither `dispatch` nor `enqueue` and a kind.")


def _dispatch() -> dict[str, int]:
    def hint(tx: Transaction) -> dict[str, int]:
        now = jobs.database_time(tx)
        # A schedule that was missed is made good here, within a minute.
        recurrence.enqueue_due(tx, now=now)
        return {
            "jobs": jobs.hint_claimable(tx, now=now, limit=_LIMIT),
            "events": inbox.hint_stuck(tx, now=now, limit=_LIMIT),
            "reviews": licensing.request_reviews(tx, now=now, limit=_LIMIT),
        }

    hinted = db.transact(hint)
    log.info("dispatched", **hinted)
    measuring.tell(db.transact(_measure))
    return hinted


def _enqueue(kind: str) -> dict[str, int]:
    db.transact(lambda tx: recurrence.enqueue_due(tx, now=jobs.database_time(tx), only=kind))
    return {"jobs": 1}


def _measure(tx: Transaction) -> Measured:
    now = jobs.database_time(tx)
    return Measured(
        jobs=oversight.read_figures(tx, now=now),
        events=inbox_oversight.read_figures(tx, now=now),
        reconciliation=reconciliation.read_figures(tx, now=now),
        usage=usage.read_figures(tx, now=now),
        prices=price_drift.read_figures(tx, now=now),
    )
