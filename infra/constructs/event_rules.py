"""The EventBridge rules on the account's default bus: AWS's own services tell functions what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.constructs.functions import Functions
from infra.constructs.queues import encrypted_queue
from infra.manifest import FUNCTIONS

_TWO_WEEKS_S = 14 * 24 * 3600


class EventRules(Construct):
    """One rule per function of the manifest that listens, with one dead-letter queue for what never reached it."""

    def __init__(
        self, scope: Construct, name: str, *, functions: Functions, details: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """``details`` narrows a source's events to this deployment's: several may live in one account."""
        super().__init__(scope, name)
        self.dead_letters = encrypted_queue(self, "EVENTS_DEAD", retention_s=_TWO_WEEKS_S)
        for function in FUNCTIONS:
            if function.events is None:
                continue
            events.Rule(
                self,
                function.name,
                event_pattern=events.EventPattern(
                    source=[function.events.source],
                    detail_type=list(function.events.detail_types),
                    detail=details[function.events.source],
                ),
                targets=[
                    targets.LambdaFunction(
                        functions[function.name].live,
                        dead_letter_queue=self.dead_letters,
                        max_event_age=cdk.Duration.hours(24),
                    )
                ],
            )
