"""What an alarm is, and what alarms look at: data, from which ``infra.constructs.alarms`` makes resources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sqs as sqs

from infra.profiles import Profile

NAMESPACE = "Keywright"
MINUTE_S = 60

BREACHING = cloudwatch.TreatMissingData.BREACHING
IGNORED = cloudwatch.TreatMissingData.IGNORE
FINE = cloudwatch.TreatMissingData.NOT_BREACHING


@dataclass(frozen=True)
class Watched:
    """What alarms look at."""

    deployment: str
    profile: Profile
    api_id: str
    cluster: rds.DatabaseCluster
    dead_letters: Sequence[sqs.Queue]
    unattended: Sequence[lambda_.Function]
    way_out: str | None

    @property
    def pace_s(self) -> int:
        """How often the dispatcher speaks."""
        return self.profile.least_every_s

    @property
    def patience_s(self) -> int:
        """How long something may wait before it is late: two rounds of the dispatcher, and three minutes."""
        return 2 * self.pace_s + 180

    def figure(self, name: str, kind: str = "all", *, statistic: str = "Maximum") -> cloudwatch.Metric:
        """Return a figure of our own, which the dispatcher prints each time it runs."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"deployment": self.deployment, "kind": kind},
            statistic=statistic,
            period=cdk.Duration.seconds(self.pace_s),
        )


def times(number: int) -> Callable[[Watched], int]:
    """So many periods of a figure of AWS's."""
    return lambda _: number


def minutes(number: int) -> Callable[[Watched], int]:
    """So many minutes of a figure of ours; where it comes hourly at least twice, for it may come a little late."""
    return lambda watched: number if watched.pace_s == MINUTE_S else max(2, number * MINUTE_S // watched.pace_s)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """
    One alarm: it rings when ``metric`` is above ``threshold`` for as long as it ``lasts``.

    ``page`` is its heading in the runbook. A gradual deployment goes back if one rings that ``stops_deployments``.
    Where ``metric`` gives None, the deployment has nothing of the kind.
    """

    name: str
    page: str
    text: str
    metric: Callable[[Watched], cloudwatch.IMetric | None]
    threshold: Callable[[Watched], float] = lambda _: 0
    lasts: Callable[[Watched], int] = lambda _: 1
    silence: cloudwatch.TreatMissingData = FINE
    stops_deployments: bool = False
