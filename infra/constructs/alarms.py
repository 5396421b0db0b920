"""
The alarms, over the metrics that the dispatcher prints each minute, and the topic that they speak to.

Whoever is on duty subscribes to the topic; its name is an output of the stack.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.constructs import reconciliation_alarms

NAMESPACE = "Keywright"

_MINUTE = cdk.Duration.minutes(1)
_LONGEST_WAIT_S = 300


class Alarms(Construct):
    """Jobs wait too long, have died, wait and none gets done; and what is watched of Stripe's events and of drift."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        # Nobody needs the name before the deployment; messages hold an alarm's name and figures, and no customer's.
        self.topic = sns.Topic(self, "Topic", display_name="Keywright alarms", enforce_ssl=True)
        age, completed = _all_kinds("JobQueueAge", "Maximum"), _all_kinds("JobsCompleted", "Sum")
        self._alarm(
            "JobsWait",
            age,
            threshold=_LONGEST_WAIT_S,
            minutes=5,
            # The dispatcher speaks each minute. Silence means that it does not run, and then nothing is guaranteed.
            silence=cloudwatch.TreatMissingData.BREACHING,
            text=f"The oldest due job has waited for {_LONGEST_WAIT_S} seconds, or the dispatcher is silent.",
        )
        self._alarm(
            "JobsDead",
            _all_kinds("JobsDead", "Maximum"),
            threshold=0,
            minutes=1,
            silence=cloudwatch.TreatMissingData.IGNORE,
            text="Jobs have died within a week: GET /v1/jobs?state=DEAD says why; POST …/retry tries again.",
        )
        stalled = cloudwatch.MathExpression(
            expression="IF(age > 60 AND completed < 1, 1, 0)",
            using_metrics={"age": age, "completed": completed},
            period=_MINUTE,
        )
        self._alarm(
            "JobsStall",
            stalled,
            threshold=0,
            minutes=10,
            silence=cloudwatch.TreatMissingData.NOT_BREACHING,
            text="For ten minutes jobs were due and none was completed.",
        )
        for watch in reconciliation_alarms.watches():
            self._alarm(
                watch.name,
                watch.metric,
                threshold=watch.threshold,
                minutes=watch.minutes,
                silence=watch.silence,
                text=watch.text,
            )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        *,
        threshold: int,
        minutes: int,
        silence: cloudwatch.TreatMissingData,
        text: str,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=minutes,
            treat_missing_data=silence,
            alarm_description=text,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))


def _all_kinds(name: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"kind": "all"},
        statistic=statistic,
        period=_MINUTE,
    )
