"""The EventBridge schedules: each invokes one function with its payload as the whole event."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from constructs import Construct

from infra.constructs.functions import Functions
from infra.constructs.queues import encrypted_queue
from infra.manifest import SCHEDULES, Schedule
from infra.profiles import Profile

_TWO_WEEKS_S = 14 * 24 * 3600


class Schedules(Construct):
    """
    The schedules of the manifest, none more often than the profile allows.

    One dead-letter queue keeps the invocations that never reached their function.
    """

    def __init__(self, scope: Construct, name: str, *, functions: Functions, profile: Profile) -> None:
        super().__init__(scope, name)
        self._functions = functions
        self._least_every_s = profile.least_every_s
        self.dead_letters = encrypted_queue(self, "SCHEDULES_DEAD", retention_s=_TWO_WEEKS_S)
        for schedule in SCHEDULES:
            self._add(schedule)

    def _add(self, schedule: Schedule) -> None:
        every_s = max(schedule.every_s, self._least_every_s)
        scheduler.Schedule(
            self,
            schedule.name,
            schedule=scheduler.ScheduleExpression.rate(cdk.Duration.seconds(every_s)),
            target=targets.LambdaInvoke(
                self._functions[schedule.function].live,
                input=scheduler.ScheduleTargetInput.from_object(schedule.payload),
                dead_letter_queue=self.dead_letters,
                # The next tick does the same work: a late one has lost its use.
                max_event_age=cdk.Duration.seconds(max(60, min(every_s, 3600))),
                retry_attempts=2,
            ),
        )
