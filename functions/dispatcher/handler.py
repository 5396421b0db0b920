"""
What schedules call. It does no work itself: it finds rows that wait and hints the workers, or enqueues a job.

Fired twice, late or not at all, it does no harm: hints may repeat, and recurring jobs have a key per period.
"""

from __future__ import annotations

from typing import Any

from keywright.jobs import service as jobs
from keywright.licensing import service as licensing
from keywright.platform import clock, db, log
from keywright.platform.db import Transaction
from keywright.stripe_sync import inbox

_LIMIT = 500


def handler(event: dict[str, str], _context: Any) -> dict[str, int]:
    """Carry out ``{"do": "dispatch"}`` or ``{"do": "enqueue", "kind": …}``."""
    if event["do"] == "enqueue":
        return _enqueue(event["kind"])
    return _dispatch()


def _dispatch() -> dict[str, int]:
    now = clock.now()

    def hint(tx: Transaction) -> dict[str, int]:
        return {
            "jobs": jobs.hint_claimable(tx, now=now, limit=_LIMIT),
            "events": inbox.hint_stuck(tx, now=now, limit=_LIMIT),
            "reviews": licensing.request_reviews(tx, now=now, limit=_LIMIT),
        }

    hinted = db.transact(hint)
    log.info("dispatched", **hinted)
    return hinted


def _enqueue(kind: str) -> dict[str, int]:
    now = clock.now()
    db.transact(lambda tx: jobs.enqueue(tx, kind, {}, key=f"{now:%Y-%m-%dT%H}", now=now))
    return {"jobs": 1}
