"""
The alarms, as a list, and the topic that they speak to. Each names its page of docs/runbook.md.

Figures of our own are printed by the dispatcher each time it runs; the rest are AWS's. Whoever is on duty subscribes
to the topic; its name is an output of the stack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.profiles import Profile

NAMESPACE = "Keywright"
RUNBOOK = "docs/runbook.md"

_BREACHING = cloudwatch.TreatMissingData.BREACHING
_IGNORED = cloudwatch.TreatMissingData.IGNORE
_FINE = cloudwatch.TreatMissingData.NOT_BREACHING
_MOST_FUNCTIONS = 10


@dataclass(frozen=True)
class Watched:
    """What alarms look at."""

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
        """How long something may wait before it is late: two rounds of the dispatcher, and five minutes."""
        return 2 * self.pace_s + 180

    def figure(self, name: str, statistic: str = "Maximum") -> cloudwatch.Metric:
        """Return a figure of our own, over all kinds."""
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"kind": "all"},
            statistic=statistic,
            period=cdk.Duration.seconds(self.pace_s),
        )


@dataclass(frozen=True)
class Alarm:
    """
    One alarm: it rings when ``metric`` is above ``threshold`` for so many ``periods``.

    ``page`` is its heading in the runbook. A gradual deployment goes back if one rings that ``stops_deployments``.
    Where ``metric`` gives None, the deployment has nothing of the kind.
    """

    name: str
    page: str
    text: str
    metric: Callable[[Watched], cloudwatch.IMetric | None]
    threshold: Callable[[Watched], float] = lambda _: 0
    periods: int = 1
    silence: cloudwatch.TreatMissingData = _FINE
    stops_deployments: bool = False


def _stalled(watched: Watched) -> cloudwatch.IMetric | None:
    # Where the dispatcher comes once an hour, every job that it finds has waited: only the age says anything there.
    if watched.pace_s > 60:  # noqa: PLR2004
        return None
    return cloudwatch.MathExpression(
        expression="IF(age > 60 AND completed < 1, 1, 0)",
        using_metrics={"age": watched.figure("JobQueueAge"), "completed": watched.figure("JobsCompleted", "Sum")},
        period=cdk.Duration.seconds(watched.pace_s),
    )


def _dead_letters(watched: Watched) -> cloudwatch.IMetric:
    return _sum([queue.metric_approximate_number_of_messages_visible for queue in watched.dead_letters], "Maximum")


def _unattended_errors(watched: Watched) -> cloudwatch.IMetric:
    return _sum([function.metric_errors for function in watched.unattended[:_MOST_FUNCTIONS]], "Sum")


def _sum(metrics: Sequence[Callable[..., cloudwatch.Metric]], statistic: str) -> cloudwatch.IMetric:
    period = cdk.Duration.minutes(1)
    named = {f"m{number}": metric(statistic=statistic, period=period) for number, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(expression=f"SUM([{','.join(named)}])", using_metrics=named, period=period)


def _server_errors(watched: Watched) -> cloudwatch.IMetric:
    return cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name="5xx",
        dimensions_map={"ApiId": watched.api_id},
        statistic="Sum",
        period=cdk.Duration.minutes(5),
    )


def _way_out(watched: Watched) -> cloudwatch.IMetric | None:
    if watched.way_out is None:
        return None
    return cloudwatch.Metric(
        namespace="AWS/EC2",
        metric_name="StatusCheckFailed",
        dimensions_map={"InstanceId": watched.way_out},
        statistic="Maximum",
        period=cdk.Duration.minutes(5),
    )


def _bounces(_watched: Watched) -> cloudwatch.IMetric:
    return cloudwatch.Metric(
        namespace="AWS/SES", metric_name="Reputation.BounceRate", statistic="Maximum", period=cdk.Duration.hours(1)
    )


ALARMS: tuple[Alarm, ...] = (
    Alarm(
        "ApiFails",
        "api-fails",
        "The API answered 5xx more than ten times in five minutes.",
        _server_errors,
        threshold=lambda _: 10,
        stops_deployments=True,
    ),
    Alarm(
        "BouncesRise",
        "bounces-rise",
        "More than one mail in twenty bounces; AWS reviews accounts at this rate.",
        _bounces,
        threshold=lambda _: 0.05,
    ),
    Alarm(
        "DatabaseConnections",
        "database-connections",
        "Four fifths of the connections that the database accepts are in use.",
        lambda watched: watched.cluster.metric_database_connections(period=cdk.Duration.minutes(1)),
        threshold=lambda watched: watched.profile.connections * 4 // 5,
        periods=3,
    ),
    Alarm(
        "DeadLetters",
        "dead-letters",
        "A message was given up: a hint, a schedule's call, an event or an unanswered invocation.",
        _dead_letters,
    ),
    Alarm(
        "Drift",
        "drift",
        "What we hold has differed from what Stripe holds for hours, and did not mend itself.",
        lambda watched: watched.figure("DriftOpen"),
        silence=_IGNORED,
    ),
    Alarm(
        "EventsDead",
        "events-dead",
        "Events of Stripe's were given up after twenty attempts to fold them.",
        lambda watched: watched.figure("EventsDead"),
        silence=_IGNORED,
    ),
    Alarm(
        "EventsWait",
        "events-wait",
        "An event that Stripe delivered waits too long for its fold.",
        lambda watched: watched.figure("EventAge"),
        threshold=lambda watched: watched.patience_s,
        silence=_BREACHING,
        periods=2,
    ),
    Alarm(
        "FunctionsFail",
        "functions-fail",
        "A worker or a scheduled function ended with an error, twice in a row.",
        _unattended_errors,
        periods=2,
        stops_deployments=True,
    ),
    Alarm(
        "JobsDead",
        "jobs-dead",
        "Jobs have died within a week: GET /v1/jobs?state=DEAD says why; POST …/retry tries again.",
        lambda watched: watched.figure("JobsDead"),
        silence=_IGNORED,
    ),
    Alarm(
        "JobsStall",
        "jobs-stall",
        "For ten minutes jobs were due and none was completed.",
        _stalled,
        periods=10,
    ),
    Alarm(
        "JobsWait",
        "jobs-wait",
        "The oldest due job waits too long, or the dispatcher is silent.",
        lambda watched: watched.figure("JobQueueAge"),
        threshold=lambda watched: watched.patience_s,
        # The dispatcher speaks each time. Silence means that it does not run, and then nothing is guaranteed.
        silence=_BREACHING,
        periods=2,
    ),
    Alarm(
        "PriceDrift",
        "price-drift",
        "A product or price differs from what Stripe sells: customers may see a wrong amount.",
        lambda watched: watched.figure("PriceDrift"),
        silence=_IGNORED,
    ),
    Alarm(
        "ReconciliationLags",
        "reconciliation-lags",
        "No look at Stripe has succeeded for a day.",
        lambda watched: watched.figure("ReconciliationAge"),
        threshold=lambda _: 86_400,
        silence=_IGNORED,
    ),
    Alarm(
        "WayOut",
        "way-out",
        "The machine by which functions reach Stripe and AWS does not answer.",
        _way_out,
        periods=2,
    ),
)


class Alarms(Construct):
    """The topic, and every alarm that this deployment can have."""

    def __init__(self, scope: Construct, name: str, *, watched: Watched) -> None:
        super().__init__(scope, name)
        # Nobody needs the name before the deployment; messages hold an alarm's name and figures, and no customer's.
        self.topic = sns.Topic(self, "Topic", display_name="Keywright alarms", enforce_ssl=True)
        self.metrics: dict[str, cloudwatch.IMetric] = {}
        self.stopping: list[cloudwatch.Alarm] = []
        for alarm in ALARMS:
            if (metric := alarm.metric(watched)) is not None:
                self.metrics[alarm.name] = metric
                self._add(alarm, metric, watched)

    def _add(self, alarm: Alarm, metric: cloudwatch.IMetric, watched: Watched) -> None:
        made = cloudwatch.Alarm(
            self,
            alarm.name,
            metric=metric,
            threshold=alarm.threshold(watched),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=alarm.periods,
            treat_missing_data=alarm.silence,
            alarm_description=f"{alarm.text} {RUNBOOK}#{alarm.page}",
        )
        made.add_alarm_action(actions.SnsAction(self.topic))
        if alarm.stops_deployments:
            self.stopping.append(made)
