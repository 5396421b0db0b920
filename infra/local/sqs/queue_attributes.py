"""
The attributes of a queue as the SQS API names them: all strings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from infra.local.sqs.errors import InvalidAttributeName, InvalidAttributeValue, InvalidParameterValue, QueueDoesNotExist
from infra.local.sqs.queue import LocalQueue
from infra.local.sqs.registry import QueueRegistry
from infra.local.sqs.store import Redrive

# API name -> (our name, least, most), the documented ranges.
_NUMBERS = {
    "VisibilityTimeout": ("visibility_timeout_s", 0, 43_200),
    "DelaySeconds": ("delay_s", 0, 900),
    "MessageRetentionPeriod": ("retention_s", 60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": ("wait_s", 0, 20),
    "MaximumMessageSize": ("maximum_message_size", 1024, 1_048_576),
}
# The attributes that never change, or that nothing on this machine depends on.
_READ_ONLY = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "SqsManagedSseEnabled",
)


def describe(queue: LocalQueue, names: list[str]) -> dict[str, str]:
    """
    Read the attributes that are asked for.

    :raises InvalidAttributeName: if a queue has no such attribute
    """
    known = {"All", "RedrivePolicy", *_NUMBERS, *_READ_ONLY}
    for name in names:
        if name not in known:
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
    everything = _everything(queue)
    return {name: value for name, value in everything.items() if "All" in names or name in names}


def apply(registry: QueueRegistry, queue: LocalQueue, attributes: Mapping[str, str]) -> None:
    """
    Change attributes; either all of them or, if one is refused, none of the numbers.
    """
    numbers = {name: _number(name, value) for name, value in attributes.items() if name in _NUMBERS}
    for name in attributes:
        if name not in _NUMBERS and name != "RedrivePolicy":
            raise InvalidAttributeName(f"Unknown Attribute {name}.")
    if "RedrivePolicy" in attributes:
        _set_redrive(registry, queue, attributes["RedrivePolicy"])
    for name, number in numbers.items():
        setattr(queue.store.attributes, _NUMBERS[name][0], number)


def _everything(queue: LocalQueue) -> dict[str, str]:
    counts = queue.counts()
    everything = {
        "ApproximateNumberOfMessages": str(counts.available),
        "ApproximateNumberOfMessagesDelayed": str(counts.delayed),
        "ApproximateNumberOfMessagesNotVisible": str(counts.in_flight),
        "CreatedTimestamp": str(int(queue.created_at)),
        "LastModifiedTimestamp": str(int(queue.created_at)),
        "QueueArn": queue.arn,
        "SqsManagedSseEnabled": "true",
    }
    for name, (ours, _, _) in _NUMBERS.items():
        everything[name] = str(getattr(queue.store.attributes, ours))
    if (redrive := queue.store.redrive) is not None:
        policy = {"deadLetterTargetArn": redrive.target.arn, "maxReceiveCount": redrive.max_receive_count}
        everything["RedrivePolicy"] = json.dumps(policy)
    return everything


def _number(name: str, value: str) -> int:
    _, least, most = _NUMBERS[name]
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if not least <= number <= most:
        raise InvalidAttributeValue(f"Invalid value for the parameter {name}.")
    return number


def _set_redrive(registry: QueueRegistry, queue: LocalQueue, policy: str) -> None:
    if not policy:
        queue.dead_letters = queue.store.redrive = None
        return
    try:
        fields = json.loads(policy)
        arn, most = fields["deadLetterTargetArn"], int(fields["maxReceiveCount"])
    except (ValueError, KeyError, TypeError):
        raise InvalidParameterValue("Redrive policy is not valid JSON with its two fields.") from None
    target = registry.by_arn(arn)
    if target is None:
        raise QueueDoesNotExist
    queue.dead_letters, queue.store.redrive = target, Redrive(target.store, most)
