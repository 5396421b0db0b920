"""
What schedules call. It does no work itself: it finds what waits or was abandoned, enqueues what recurs, and measures.

Fired twice, late or not at all, it does no harm: rows are locked, hints may repeat, recurring jobs have a key per
period.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from keywright.jobs import oversight, recurrence
from keywright.jobs import service as jobs
from keywright.jobs.models import Figures, Outcome
from keywright.platform import db, log
from keywright.platform.db import Transaction
from keywright.stripe_sync import inbox

_LIMIT = 500
_NAMESPACE = "Keywright"
# The dimension of a metric over all kinds: alarms watch these.
_ALL = "all"


def handler(event: dict[str, str], _context: Any) -> dict[str, int]:
    """Carry out ``{"do": "dispatch"}`` or ``{"do": "enqueue", "kind": …}``."""
    if event["do"] == "enqueue":
        return _enqueue(event["kind"])
    return _dispatch()


def _dispatch() -> dict[str, int]:
    def hint(tx: Transaction) -> dict[str, int]:
        now = jobs.database_time(tx)
        # A schedule that was missed is made good here, within a minute.
        recurrence.enqueue_due(tx, now=now)
        return {
            "jobs": jobs.hint_claimable(tx, now=now, limit=_LIMIT),
            "events": inbox.hint_stuck(tx, now=now, limit=_LIMIT),
        }

    hinted = db.transact(hint)
    log.info("dispatched", **hinted)
    _measure(db.transact(lambda tx: oversight.read_figures(tx, now=jobs.database_time(tx))))
    return hinted


def _enqueue(kind: str) -> dict[str, int]:
    db.transact(lambda tx: recurrence.enqueue_due(tx, now=jobs.database_time(tx), only=kind))
    return {"jobs": 1}


def _measure(figures: Figures) -> None:
    """Print the figures as embedded metrics, which CloudWatch reads out of the log."""
    completed = {kind: count for (kind, outcome), count in figures.ended.items() if outcome is Outcome.COMPLETED}
    _metric("JobQueueAge", MetricUnit.Seconds, {**figures.wait_s, _ALL: max(figures.wait_s.values(), default=0.0)})
    _metric("JobsDead", MetricUnit.Count, {**figures.dead, _ALL: sum(figures.dead.values())})
    _metric("JobsCompleted", MetricUnit.Count, {**completed, _ALL: sum(completed.values())})


def _metric(name: str, unit: MetricUnit, by_kind: dict[str, float] | dict[str, int]) -> None:
    for kind, value in by_kind.items():
        with single_metric(name=name, unit=unit, value=value, namespace=_NAMESPACE, default_dimensions={"kind": kind}):
            pass
