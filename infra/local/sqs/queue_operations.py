"""
The SQS operations on queues.
"""

from __future__ import annotations

import re
from typing import Any

from infra.local.sqs import queue_attributes
from infra.local.sqs.errors import InvalidParameterValue, QueueAlreadyExists, QueueDoesNotExist
from infra.local.sqs.queue import LocalQueue
from infra.local.sqs.registry import QueueRegistry, queue_url

Json = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


async def create_queue(registry: QueueRegistry, endpoint: str, request: Json) -> Json:
    """
    Create a queue, or find the one that has the same name and the given attributes.
    """
    name, attributes = request["QueueName"], request.get("Attributes", {})
    if not _NAME.fullmatch(name):
        raise InvalidParameterValue(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )
    if (existing := registry.find(name)) is not None:
        has = queue_attributes.describe(existing, ["All"])
        for attribute, value in attributes.items():
            if has.get(attribute) != value:
                raise QueueAlreadyExists(
                    f"A queue already exists with the same name and a different value for attribute {attribute}"
                )
    else:
        queue = LocalQueue(name, registry.arn(name))
        queue_attributes.apply(registry, queue, attributes)
        registry.add(queue)
    return {"QueueUrl": queue_url(endpoint, name)}


async def delete_queue(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Delete a queue with its messages, at once.
    """
    registry.remove(registry.get(request["QueueUrl"]))
    return {}


async def get_queue_url(registry: QueueRegistry, endpoint: str, request: Json) -> Json:
    """
    Find a queue by its name.
    """
    if registry.find(request["QueueName"]) is None:
        raise QueueDoesNotExist
    return {"QueueUrl": queue_url(endpoint, request["QueueName"])}


async def list_queues(registry: QueueRegistry, endpoint: str, request: Json) -> Json:
    """
    List the URLs of all queues, without pages: there are few.
    """
    prefix = request.get("QueueNamePrefix", "")
    urls = [queue_url(endpoint, queue.name) for queue in registry if queue.name.startswith(prefix)]
    return {"QueueUrls": urls} if urls else {}


async def get_queue_attributes(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Read the named attributes; without names, none.
    """
    queue = registry.get(request["QueueUrl"])
    attributes = queue_attributes.describe(queue, request.get("AttributeNames", []))
    return {"Attributes": attributes} if attributes else {}


async def set_queue_attributes(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Change the attributes that can be changed.
    """
    queue_attributes.apply(registry, registry.get(request["QueueUrl"]), request.get("Attributes", {}))
    return {}


async def purge_queue(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Drop every message at once; AWS takes up to a minute.
    """
    registry.get(request["QueueUrl"]).purge()
    return {}
