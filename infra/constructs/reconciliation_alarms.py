"""
The alarms on Stripe's events and on reconciliation, over the figures that the dispatcher prints.

That the dispatcher itself is silent is told by the alarm on the age of jobs; here silence speaks only of what never
succeeded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.constructs.watching import BREACHING, FINE, IGNORED, MINUTE_S, Alarm, Watched, minutes
from infra.manifest import SCHEDULES

_HOUR_S = 3600
_LONGEST_PARKED_S = 24 * _HOUR_S
_LONGEST_WAIT_S = 900
_LONGEST_OPEN_S = 14 * _HOUR_S
_FIRST_LOOK_MINUTES = 60


def alarms() -> Iterator[Alarm]:
    """Yield what is watched of Stripe's events and of reconciliation."""
    yield from _of_events()
    for kind, every_s in _looks().items():
        yield _late(kind, 2 * every_s + _HOUR_S)
    yield Alarm(
        name="ReconciliationFails",
        page="reconciliation-fails",
        text="A look at Stripe has failed, or was abandoned, for half an hour: last_error in GET /v1/reconciliation.",
        metric=lambda watched: watched.figure("ReconciliationFailed"),
        lasts=minutes(30),
    )
    yield Alarm(
        name="DriftFound",
        page="drift-found",
        text="A sweep found what differs from Stripe, or from what was paid, and mends it: GET /v1/reconciliation.",
        metric=_found_by_sweeps,
    )
    yield Alarm(
        name="DriftStays",
        page="drift-stays",
        text="A difference from Stripe was looked at twice and has not healed: its cause is in GET /v1/reconciliation.",
        metric=lambda watched: watched.figure("DriftAge"),
        threshold=lambda _: _LONGEST_OPEN_S,
        lasts=minutes(5),
    )
    yield Alarm(
        name="PriceDrift",
        page="price-drift",
        text="Stripe billed a line that is not what the buyer was shown: GET /v1/price-drift says which.",
        # The figure is of two hours, however often it is told: adding up would count a line many times.
        metric=lambda watched: watched.figure("PriceDrift"),
    )


def _late(kind: str, longest_s: int) -> Alarm:
    return Alarm(
        name=f"ReconciliationLate-{kind}",
        page="reconciliation-late",
        text=f"No {kind} has succeeded for {longest_s // _HOUR_S} hours, or none ever has: GET /v1/reconciliation.",
        metric=lambda watched: watched.figure("ReconciliationLag", kind),
        threshold=lambda _: longest_s,
        lasts=minutes(_FIRST_LOOK_MINUTES),
        # There is no lag before the first success. A new deployment has an hour for it.
        silence=BREACHING,
    )


def _of_events() -> Iterator[Alarm]:
    yield Alarm(
        name="StripeEventsDead",
        page="stripe-events-dead",
        text="Events were given up: GET /v1/stripe-events?state=DEAD says why; POST …/retry tries again.",
        metric=lambda watched: watched.figure("StripeEventsDead"),
        silence=IGNORED,
    )
    yield Alarm(
        name="StripeEventsPark",
        page="stripe-events-park",
        text="An event has waited for a day: GET /v1/stripe-events?state=PARKED says what for.",
        metric=lambda watched: watched.figure("StripeEventsParkedAge"),
        threshold=lambda _: _LONGEST_PARKED_S,
        lasts=minutes(5),
    )
    yield Alarm(
        name="StripeEventsWait",
        page="stripe-events-wait",
        text="A stored event has not been folded for long: licenses are late.",
        metric=lambda watched: watched.figure("StripeEventsWaitAge"),
        threshold=lambda watched: max(_LONGEST_WAIT_S, watched.patience_s),
        lasts=minutes(5),
        silence=FINE,
    )


def _looks() -> Mapping[str, int]:
    """Return the kinds of looks, and how often each is scheduled."""
    prefix = "reconciliation."
    scheduled = {schedule.payload.get("kind", ""): schedule.every_s for schedule in SCHEDULES}
    return {kind.removeprefix(prefix): every_s for kind, every_s in scheduled.items() if kind.startswith(prefix)}


def _found_by_sweeps(watched: Watched) -> cloudwatch.IMetric | None:
    # An event that is only late is no drift worth a call at night: the two sweeps know what is on its way. The figure
    # is of the last minute: who looks once an hour misses most, and watches what stays.
    if watched.pace_s > MINUTE_S:
        return None
    hour = cdk.Duration.hours(1)
    found = {
        name: watched.figure("DriftFound", kind, statistic="Sum").with_(period=hour)
        for name, kind in {"objects": "object-sweep", "licenses": "license-sweep"}.items()
    }
    return cloudwatch.MathExpression(expression="objects + licenses", using_metrics=found, period=hour)
