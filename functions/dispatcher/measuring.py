"""The figures that alarms and the dashboard watch, printed as embedded metrics, which CloudWatch reads out of the log."""

from __future__ import annotations

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from keywright.jobs import oversight as jobs
from keywright.jobs.models import Figures, Outcome
from keywright.jobs.service import database_time
from keywright.platform import db
from keywright.platform.db import Transaction
from keywright.reconciliation import oversight as reconciliation
from keywright.reconciliation.oversight import DriftFigures
from keywright.stripe_sync import oversight as inbox
from keywright.stripe_sync.oversight import InboxFigures

NAMESPACE = "Keywright"
# The dimension of a metric over all kinds: alarms watch these.
_ALL = "all"


def measure() -> None:
    """Print how jobs, the inbox and the comparison with Stripe stand at this moment."""

    def read(tx: Transaction) -> tuple[Figures, InboxFigures, DriftFigures]:
        now = database_time(tx)
        return (
            jobs.read_figures(tx, now=now),
            inbox.read_figures(tx, now=now),
            reconciliation.read_figures(tx, now=now),
        )

    work, events, drift = db.transact(read)
    completed = {kind: count for (kind, outcome), count in work.ended.items() if outcome is Outcome.COMPLETED}
    _metric("JobQueueAge", MetricUnit.Seconds, {**work.wait_s, _ALL: max(work.wait_s.values(), default=0.0)})
    _metric("JobsDead", MetricUnit.Count, {**work.dead, _ALL: sum(work.dead.values())})
    _metric("JobsCompleted", MetricUnit.Count, {**completed, _ALL: sum(completed.values())})
    _metric("EventAge", MetricUnit.Seconds, {_ALL: events.wait_s})
    _metric("EventsDead", MetricUnit.Count, {_ALL: events.dead})
    _metric("EventsParked", MetricUnit.Count, {_ALL: events.parked})
    _metric("DriftOpen", MetricUnit.Count, {_ALL: drift.open_drift})
    _metric("PriceDrift", MetricUnit.Count, {_ALL: drift.open_prices})
    _metric("ReconciliationAge", MetricUnit.Seconds, {_ALL: drift.age_s})


def _metric(name: str, unit: MetricUnit, by_kind: dict[str, float] | dict[str, int]) -> None:
    for kind, value in by_kind.items():
        with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE, default_dimensions={"kind": kind}):
            pass
