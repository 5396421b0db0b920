"""
The queues of this machine's SQS, by name and by URL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from infra.local.environment import ACCOUNT
from infra.local.sqs.errors import QueueDoesNotExist
from infra.local.sqs.queue import LocalQueue
from infra.local.sqs.store import QueueAttributes
from infra.manifest import QueueSettings


class QueueRegistry:
    """Every queue there is."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._queues: dict[str, LocalQueue] = {}

    def __iter__(self) -> Iterator[LocalQueue]:
        return iter(list(self._queues.values()))

    def add(self, queue: LocalQueue) -> LocalQueue:
        """
        Take in a queue under its name.
        """
        self._queues[queue.name] = queue
        return queue

    def remove(self, queue: LocalQueue) -> None:
        """
        Drop a queue, and send home who waits on it.
        """
        queue.close()
        del self._queues[queue.name]

    def find(self, name: str) -> LocalQueue | None:
        """
        Find a queue by its name, if there is one.
        """
        return self._queues.get(name)

    def get(self, url_or_name: str) -> LocalQueue:
        """
        Find a queue by its URL, whatever host that names, or by its name.

        :raises QueueDoesNotExist: if there is none
        """
        name = urlsplit(url_or_name).path.rpartition("/")[2]
        if (queue := self._queues.get(name)) is None:
            raise QueueDoesNotExist
        return queue

    def arn(self, name: str) -> str:
        """
        Build the ARN of a queue of this account and region.
        """
        return f"arn:aws:sqs:{self.region}:{ACCOUNT}:{name}"

    def by_arn(self, arn: str) -> LocalQueue | None:
        """
        Find a queue by its ARN, if there is one.
        """
        return next((queue for queue in self if queue.arn == arn), None)

    def add_manifest_queues(self, settings: Iterable[QueueSettings]) -> None:
        """
        Create each queue of the manifest with the dead-letter queue behind it.
        """
        for one in settings:
            name = queue_name(one)
            dead_name = f"{name}-dead-letters"
            dead_attributes = QueueAttributes(retention_s=one.dead_letter_retention_s)
            dead_letters = self.add(LocalQueue(dead_name, self.arn(dead_name), dead_attributes))
            attributes = QueueAttributes(visibility_timeout_s=one.visibility_timeout_s, retention_s=one.retention_s)
            self.add(
                LocalQueue(
                    name,
                    self.arn(name),
                    attributes,
                    dead_letters=dead_letters,
                    max_receive_count=one.max_receive_count,
                )
            )


def queue_name(settings: QueueSettings) -> str:
    """
    Name the queue of a manifest entry.
    """
    return settings.queue.lower()


def queue_url(endpoint: str, name: str) -> str:
    """
    Build the URL by which boto3 addresses a queue.
    """
    return f"{endpoint}/{ACCOUNT}/{name}"
