"""The alarms on usage, over the metrics that the dispatcher prints each minute: what is not counted as it should be."""

from __future__ import annotations

from collections.abc import Iterator

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.constructs.reconciliation_alarms import Watch

_LONGEST_WAIT_S = 7200


def watches() -> Iterator[Watch]:
    """Yield what is watched of usage."""
    yield _watch("UsageDrift", 0, minutes=5, text="Stripe's sums of usage differ from ours: table usage_drift.")
    yield _watch(
        "UsageRejected", 0, minutes=1, text="Usage was refused within a week: REJECTED in GET /v1/usage says why."
    )
    yield _watch("UsageWaitAge", _LONGEST_WAIT_S, minutes=5, text="Sealed usage has waited for two hours to be told.")


def _watch(name: str, threshold: int, *, minutes: int, text: str) -> Watch:
    metric = cloudwatch.Metric(
        namespace="Keywright",
        metric_name=name,
        dimensions_map={"kind": "all"},
        statistic="Maximum",
        period=cdk.Duration.minutes(1),
    )
    silence = cloudwatch.TreatMissingData.IGNORE
    return Watch(name=name, metric=metric, threshold=threshold, minutes=minutes, silence=silence, text=text)
