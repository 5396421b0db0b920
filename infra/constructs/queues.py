"""The standard SQS queues that carry hints, each with a dead-letter queue."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.manifest import QUEUES, Queue, QueueSettings


class Queues(Construct):
    """The queues of the manifest, encrypted by SQS and reachable over TLS only."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.dead_letters: list[sqs.Queue] = []
        self._queues = {settings.queue: self._with_dead_letters(settings) for settings in QUEUES}

    def __getitem__(self, queue: Queue) -> sqs.Queue:
        return self._queues[queue]

    def _with_dead_letters(self, settings: QueueSettings) -> sqs.Queue:
        dead_letters = encrypted_queue(self, f"{settings.queue}_DEAD", retention_s=settings.dead_letter_retention_s)
        self.dead_letters.append(dead_letters)
        return encrypted_queue(
            self,
            settings.queue,
            retention_s=settings.retention_s,
            visibility_timeout_s=settings.visibility_timeout_s,
            dead_letters=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=settings.max_receive_count),
        )


def encrypted_queue(
    scope: Construct,
    name: str,
    *,
    retention_s: int,
    visibility_timeout_s: int = 30,
    dead_letters: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    """Create a queue that refuses plain connections."""
    return sqs.Queue(
        scope,
        name,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=cdk.Duration.seconds(retention_s),
        visibility_timeout=cdk.Duration.seconds(visibility_timeout_s),
        dead_letter_queue=dead_letters,
    )
