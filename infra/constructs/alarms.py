"""
The alarms, as a list, and the topic that they speak to. Each names its page of docs/runbook.md.

Figures of our own are printed by the dispatcher each time it runs; the rest are AWS's. Whoever is on duty subscribes
to the topic; its name is an output of the stack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs import reconciliation_alarms, usage_alarms
from infra.constructs.watching import BREACHING, IGNORED, MINUTE_S, Alarm, Watched, minutes, times

RUNBOOK = "docs/runbook.md"

_MOST_METRICS = 10


def _stalled(watched: Watched) -> cloudwatch.IMetric | None:
    # Where the dispatcher comes once an hour, every job that it finds has waited: only the age says anything there.
    if watched.pace_s > MINUTE_S:
        return None
    return cloudwatch.MathExpression(
        expression="IF(age > 60 AND completed < 1, 1, 0)",
        using_metrics={
            "age": watched.figure("JobQueueAge"),
            "completed": watched.figure("JobsCompleted", statistic="Sum"),
        },
        period=cdk.Duration.seconds(watched.pace_s),
    )


def _dead_letters(watched: Watched) -> cloudwatch.IMetric:
    return _sum([queue.metric_approximate_number_of_messages_visible for queue in watched.dead_letters], "Maximum")


def _unattended_errors(watched: Watched) -> cloudwatch.IMetric:
    assert len(watched.unattended) <= _MOST_METRICS, "an alarm takes no more metrics: make it two"
    return _sum([function.metric_errors for function in watched.unattended], "Sum")


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


_OWN: tuple[Alarm, ...] = (
    Alarm(
        name="ApiFails",
        page="api-fails",
        text="The API answered 5xx more than ten times in five minutes; where the database may sleep, twice in a row.",
        metric=_server_errors,
        threshold=lambda _: 10,
        # One page that asks while the database wakes is answered 503 as often, and nothing is wrong.
        lasts=lambda watched: 2 if watched.profile.pauses_after_s else 1,
        stops_deployments=True,
    ),
    Alarm(
        name="BouncesRise",
        page="bounces-rise",
        text="More than one mail in twenty bounces; AWS reviews accounts at this rate.",
        metric=_bounces,
        threshold=lambda _: 0.05,
    ),
    Alarm(
        name="DatabaseConnections",
        page="database-connections",
        text="Four fifths of the connections that the database accepts are in use.",
        # The fullest instance: on the average a reader without connections would hide a full writer.
        metric=lambda watched: watched.cluster.metric_database_connections(
            statistic="Maximum", period=cdk.Duration.minutes(1)
        ),
        threshold=lambda watched: watched.profile.connections * 4 // 5,
        lasts=times(3),
    ),
    Alarm(
        name="DeadLetters",
        page="dead-letters",
        text="A message was given up: a hint, a schedule's call, an event or an unanswered invocation.",
        metric=_dead_letters,
    ),
    Alarm(
        name="FunctionsFail",
        page="functions-fail",
        text="A worker or a scheduled function ended with an error, twice in a row.",
        metric=_unattended_errors,
        lasts=times(2),
        stops_deployments=True,
    ),
    Alarm(
        name="JobsDead",
        page="jobs-dead",
        text="Jobs have died within a week: GET /v1/jobs?state=DEAD says why; POST …/retry tries again.",
        metric=lambda watched: watched.figure("JobsDead"),
        silence=IGNORED,
    ),
    Alarm(
        name="JobsStall",
        page="jobs-stall",
        text="For ten minutes jobs were due and none was completed.",
        metric=_stalled,
        lasts=times(10),
    ),
    Alarm(
        name="JobsWait",
        page="jobs-wait",
        text="The oldest due job waits too long, or the dispatcher is silent.",
        metric=lambda watched: watched.figure("JobQueueAge"),
        threshold=lambda watched: watched.patience_s,
        # The dispatcher speaks each time. Silence means that it does not run, and then nothing is guaranteed.
        silence=BREACHING,
        lasts=minutes(5),
    ),
    Alarm(
        name="WayOut",
        page="way-out",
        text="The machine by which functions reach Stripe and AWS does not answer.",
        metric=_way_out,
        lasts=times(2),
        # A machine that was stopped or taken away says nothing.
        silence=BREACHING,
    ),
)

ALARMS: tuple[Alarm, ...] = (*_OWN, *reconciliation_alarms.alarms(), *usage_alarms.alarms())


class Alarms(Construct):
    """The topic, and every alarm that this deployment can have."""

    def __init__(self, scope: Construct, name: str, *, watched: Watched) -> None:
        super().__init__(scope, name)
        # Nobody needs the name before the deployment; messages hold an alarm's name and figures, and no customer's.
        self.topic = sns.Topic(self, "Topic", display_name="Keywright alarms", enforce_ssl=True)
        self._let_alarms_speak()
        self.metrics: dict[str, cloudwatch.IMetric] = {}
        self.stopping: list[cloudwatch.Alarm] = []
        for alarm in ALARMS:
            if (metric := alarm.metric(watched)) is not None:
                self.metrics[alarm.name] = metric
                self._add(alarm, metric, watched)

    def _let_alarms_speak(self) -> None:
        """Say what SNS's own policy would: the one that forbids plain connections takes its place."""
        ours = cdk.Stack.of(self).format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AllowAlarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": ours}},
            )
        )

    def _add(self, alarm: Alarm, metric: cloudwatch.IMetric, watched: Watched) -> None:
        made = cloudwatch.Alarm(
            self,
            alarm.name,
            metric=metric,
            threshold=alarm.threshold(watched),
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=alarm.lasts(watched),
            treat_missing_data=alarm.silence,
            alarm_description=f"{alarm.text} {RUNBOOK}#{alarm.page}",
        )
        made.add_alarm_action(actions.SnsAction(self.topic))
        if alarm.stops_deployments:
            self.stopping.append(made)
