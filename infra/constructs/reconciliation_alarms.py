"""
The alarms on Stripe's events, on prices and on reconciliation, over the metrics that the dispatcher prints each minute.

That the dispatcher itself is silent is told by the alarm on the age of jobs; here silence speaks only of what never
succeeded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.manifest import SCHEDULES

_NAMESPACE = "Keywright"
_MINUTE = cdk.Duration.minutes(1)
_HOUR_S = 3600
_LONGEST_PARKED_S = 24 * _HOUR_S
_LONGEST_WAIT_S = 900
_LONGEST_OPEN_S = 14 * _HOUR_S
_FIRST_LOOK_MINUTES = 60


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One alarm: a figure that must not be above a threshold for so many minutes, and what its silence means."""

    name: str
    metric: cloudwatch.IMetric
    threshold: int
    minutes: int
    silence: cloudwatch.TreatMissingData
    text: str


def watches() -> Iterator[Watch]:
    """Yield what is watched of Stripe's events, of prices and of reconciliation."""
    yield from _of_events()
    yield _of_prices()
    for kind, every_s in _looks().items():
        longest_s = 2 * every_s + _HOUR_S
        yield Watch(
            name=f"ReconciliationLate-{kind}",
            metric=_metric("ReconciliationLag", kind),
            threshold=longest_s,
            minutes=_FIRST_LOOK_MINUTES,
            # There is no lag before the first success. A new deployment has an hour for it.
            silence=cloudwatch.TreatMissingData.BREACHING,
            text=f"No {kind} has succeeded for {longest_s // _HOUR_S} hours, or none ever has: GET /v1/reconciliation.",
        )
    yield Watch(
        name="ReconciliationFails",
        metric=_metric("ReconciliationFailed"),
        threshold=0,
        minutes=30,
        silence=cloudwatch.TreatMissingData.NOT_BREACHING,
        text="A look at Stripe has failed, or was abandoned, for half an hour: last_error in GET /v1/reconciliation.",
    )
    yield Watch(
        name="DriftFound",
        metric=_found_by_sweeps(),
        threshold=0,
        minutes=1,
        silence=cloudwatch.TreatMissingData.NOT_BREACHING,
        text="A sweep found what differs from Stripe, or from what was paid, and mends it: GET /v1/reconciliation.",
    )
    yield Watch(
        name="DriftStays",
        metric=_metric("DriftAge"),
        threshold=_LONGEST_OPEN_S,
        minutes=5,
        silence=cloudwatch.TreatMissingData.NOT_BREACHING,
        text="A difference from Stripe was looked at twice and has not healed: its cause is in GET /v1/reconciliation.",
    )


def _of_prices() -> Watch:
    return Watch(
        name="PriceDrift",
        metric=_metric("PriceDrift", statistic="Sum", period=cdk.Duration.hours(1)),
        threshold=0,
        minutes=1,
        silence=cloudwatch.TreatMissingData.NOT_BREACHING,
        text="Stripe billed a line that is not what the buyer was shown: GET /v1/price-drift says which.",
    )


def _of_events() -> Iterator[Watch]:
    yield Watch(
        name="StripeEventsDead",
        metric=_metric("StripeEventsDead"),
        threshold=0,
        minutes=1,
        silence=cloudwatch.TreatMissingData.IGNORE,
        text="Events were given up: GET /v1/stripe-events?state=DEAD says why; POST …/retry tries again.",
    )
    yield Watch(
        name="StripeEventsPark",
        metric=_metric("StripeEventsParkedAge"),
        threshold=_LONGEST_PARKED_S,
        minutes=5,
        silence=cloudwatch.TreatMissingData.NOT_BREACHING,
        text="An event has waited for a day: GET /v1/stripe-events?state=PARKED says what for.",
    )
    yield Watch(
        name="StripeEventsWait",
        metric=_metric("StripeEventsWaitAge"),
        threshold=_LONGEST_WAIT_S,
        minutes=5,
        silence=cloudwatch.TreatMissingData.NOT_BREACHING,
        text=f"A stored event has not been folded for {_LONGEST_WAIT_S // 60} minutes: licenses are late.",
    )


def _looks() -> Mapping[str, int]:
    """Return the kinds of looks, and how often each is scheduled."""
    prefix = "reconciliation."
    scheduled = {schedule.payload.get("kind", ""): schedule.every_s for schedule in SCHEDULES}
    return {kind.removeprefix(prefix): every_s for kind, every_s in scheduled.items() if kind.startswith(prefix)}


def _found_by_sweeps() -> cloudwatch.MathExpression:
    # An event that is only late is no drift worth a call at night: the two sweeps know what is on its way.
    hour = cdk.Duration.hours(1)
    return cloudwatch.MathExpression(
        expression="objects + licenses",
        using_metrics={
            "objects": _metric("DriftFound", "object-sweep", statistic="Sum", period=hour),
            "licenses": _metric("DriftFound", "license-sweep", statistic="Sum", period=hour),
        },
        period=hour,
    )


def _metric(
    name: str, kind: str = "all", *, statistic: str = "Maximum", period: cdk.Duration = _MINUTE
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=_NAMESPACE, metric_name=name, dimensions_map={"kind": kind}, statistic=statistic, period=period
    )
