"""
Prints figures as embedded metrics, which CloudWatch reads out of the log.

Each has two dimensions: ``deployment``, because several may live in one account, and ``kind``. Alarms watch their own
deployment's ``all``, or one of reconciliation's three kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from functions.dispatcher.settings import Settings
from keywright.jobs.models import Figures as JobFigures
from keywright.jobs.models import Outcome
from keywright.metering.drift.service import Figures as UsageFigures
from keywright.platform import config
from keywright.price_drift.models import Figures as PriceFigures
from keywright.reconciliation.models import Figures as ReconciliationFigures
from keywright.stripe_sync.models import EventFigures

NAMESPACE = "Keywright"

# The dimension of a metric over all kinds.
_ALL = "all"


@dataclass(frozen=True)
class Measured:
    """Everything that is watched, as it was at one moment."""

    jobs: JobFigures
    events: EventFigures
    reconciliation: ReconciliationFigures
    usage: UsageFigures
    prices: PriceFigures


def tell(measured: Measured) -> None:
    """Print all figures."""
    _tell_of_jobs(measured.jobs)
    _tell_of_events(measured.events)
    _tell_of_reconciliation(measured.reconciliation)
    _tell_of_usage(measured.usage)
    _tell_of_prices(measured.prices)


def _tell_of_jobs(figures: JobFigures) -> None:
    completed = {kind: count for (kind, outcome), count in figures.ended.items() if outcome is Outcome.COMPLETED}
    _metric("JobQueueAge", MetricUnit.Seconds, {**figures.wait_s, _ALL: max(figures.wait_s.values(), default=0.0)})
    _metric("JobsDead", MetricUnit.Count, {**figures.dead, _ALL: sum(figures.dead.values())})
    _metric("JobsCompleted", MetricUnit.Count, {**completed, _ALL: sum(completed.values())})


def _tell_of_events(figures: EventFigures) -> None:
    _metric("StripeEventsDead", MetricUnit.Count, {_ALL: figures.dead})
    _metric("StripeEventsParked", MetricUnit.Count, {_ALL: figures.parked})
    _metric("StripeEventsParkedAge", MetricUnit.Seconds, {_ALL: figures.parked_age_s})
    _metric("StripeEventsWaitAge", MetricUnit.Seconds, {_ALL: figures.wait_s})


def _tell_of_reconciliation(figures: ReconciliationFigures) -> None:
    drift = figures.drift
    # No sum over the kinds, and nothing for one that never succeeded: each is watched by itself, silence included.
    _metric("ReconciliationLag", MetricUnit.Seconds, {str(kind): lag for kind, lag in figures.lag_s.items()})
    failed = {str(kind): int(has_failed) for kind, has_failed in figures.failed.items()}
    _metric("ReconciliationFailed", MetricUnit.Count, {**failed, _ALL: sum(failed.values())})
    found = {str(kind): figure.found for kind, figure in drift.items()}
    _metric("DriftFound", MetricUnit.Count, {**found, _ALL: sum(found.values())})
    opened = {str(kind): figure.open for kind, figure in drift.items()}
    _metric("DriftOpen", MetricUnit.Count, {**opened, _ALL: sum(opened.values())})
    ages = {str(kind): figure.age_s for kind, figure in drift.items()}
    _metric("DriftAge", MetricUnit.Seconds, {**ages, _ALL: max(ages.values(), default=0)})


def _tell_of_usage(figures: UsageFigures) -> None:
    _metric("UsageDrift", MetricUnit.Count, {_ALL: figures.drift})
    _metric("UsageRejected", MetricUnit.Count, {_ALL: figures.rejected})
    _metric("UsageWaitAge", MetricUnit.Seconds, {_ALL: figures.wait_s})


def _tell_of_prices(figures: PriceFigures) -> None:
    _metric("PricesCompared", MetricUnit.Count, {_ALL: figures.compared})
    _metric("PriceDrift", MetricUnit.Count, {_ALL: figures.drifted})
    _metric("PricesUncompared", MetricUnit.Count, {_ALL: figures.uncompared})


def _metric(name: str, unit: MetricUnit, by_kind: Mapping[str, float] | Mapping[str, int]) -> None:
    deployment = config.load(Settings).deployment
    for kind, value in by_kind.items():
        dimensions = {"deployment": deployment, "kind": kind}
        with single_metric(name=name, unit=unit, value=value, namespace=NAMESPACE, default_dimensions=dimensions):
            pass
