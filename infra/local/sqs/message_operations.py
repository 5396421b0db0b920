"""
The SQS operations on messages.

An operation reads the request, asks the queue, and writes the answer. What a message goes through is the
store's affair.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from infra.local.sqs.batch import BATCH_LIMIT, checked_entries, run_batch
from infra.local.sqs.errors import BatchRequestTooLong, InvalidParameterValue
from infra.local.sqs.message import Attributes, Delivery, MessageAttribute, md5_of_attributes, md5_of_body, size_of
from infra.local.sqs.queue import LocalQueue
from infra.local.sqs.registry import QueueRegistry
from infra.local.sqs.store import MAXIMUM_VISIBILITY_S

Json = dict[str, Any]

MAXIMUM_DELAY_S = 900
MAXIMUM_WAIT_S = 20


async def send_message(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Accept one message, or refuse it for its size, delay or attributes.
    """
    queue = registry.get(request["QueueUrl"])
    _check_size(queue, request)
    return _send(queue, request)


async def send_message_batch(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Accept up to ten messages; together they may be as large as one.
    """
    queue = registry.get(request["QueueUrl"])
    entries = checked_entries(request, "SendMessage")
    total = sum(size_of(entry["MessageBody"], _attributes(entry)) for entry in entries)
    limit = queue.store.attributes.maximum_message_size
    if total > limit:
        raise BatchRequestTooLong(f"Batch requests cannot be longer than {limit} bytes. You have sent {total} bytes.")
    return run_batch(entries, lambda entry: _send(queue, entry))


async def receive_message(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Hand out messages, waiting for one as long as the request or the queue says.
    """
    queue = registry.get(request["QueueUrl"])
    limit = _within(request, "MaxNumberOfMessages", 1, 1, BATCH_LIMIT)
    wait_s = _within(request, "WaitTimeSeconds", queue.store.attributes.wait_s, 0, MAXIMUM_WAIT_S)
    timeout_s = _visibility(request) if "VisibilityTimeout" in request else None
    deliveries = await queue.receive(limit, wait_s=wait_s, visibility_timeout_s=timeout_s)
    system_names = {*request.get("AttributeNames", []), *request.get("MessageSystemAttributeNames", [])}
    wanted = _name_filter(request.get("MessageAttributeNames", []))
    messages = [_received(delivery, system_names, wanted) for delivery in deliveries]
    return {"Messages": messages} if messages else {}


async def delete_message(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Delete by receipt; a receipt that was superseded deletes nothing and is no error.
    """
    registry.get(request["QueueUrl"]).delete(request["ReceiptHandle"])
    return {}


async def delete_message_batch(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Delete by up to ten receipts.
    """
    queue = registry.get(request["QueueUrl"])

    def delete(entry: Json) -> Json:
        queue.delete(entry["ReceiptHandle"])
        return {}

    return run_batch(checked_entries(request, "DeleteMessage"), delete)


async def change_message_visibility(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Set when a received message comes back, counted from now.
    """
    registry.get(request["QueueUrl"]).change_visibility(request["ReceiptHandle"], _visibility(request))
    return {}


async def change_message_visibility_batch(registry: QueueRegistry, _endpoint: str, request: Json) -> Json:
    """
    Set when up to ten received messages come back.
    """
    queue = registry.get(request["QueueUrl"])

    def change(entry: Json) -> Json:
        queue.change_visibility(entry["ReceiptHandle"], _visibility(entry))
        return {}

    return run_batch(checked_entries(request, "ChangeMessageVisibility"), change)


def _send(queue: LocalQueue, request: Json) -> Json:
    attributes = _attributes(request)
    delay_s = request.get("DelaySeconds")
    if delay_s is not None and not 0 <= delay_s <= MAXIMUM_DELAY_S:
        raise InvalidParameterValue(
            f"Value {delay_s} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        )
    trace_header = request.get("MessageSystemAttributes", {}).get("AWSTraceHeader", {}).get("StringValue")
    body = request["MessageBody"]
    message = queue.send(body, attributes=attributes, delay_s=delay_s, trace_header=trace_header)
    answer = {"MessageId": message.message_id, "MD5OfMessageBody": md5_of_body(body)}
    if attributes:
        answer["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
    return answer


def _check_size(queue: LocalQueue, request: Json) -> None:
    limit = queue.store.attributes.maximum_message_size
    if size_of(request["MessageBody"], _attributes(request)) > limit:
        raise InvalidParameterValue(
            f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        )


def _attributes(request: Json) -> Attributes:
    return {name: _attribute(name, value) for name, value in request.get("MessageAttributes", {}).items()}


def _attribute(name: str, value: Json) -> MessageAttribute:
    data_type = value.get("DataType") or ""
    if not data_type:
        raise InvalidParameterValue(f"The message attribute '{name}' must contain non-empty message attribute value.")
    kind = data_type.partition(".")[0]
    if kind not in {"String", "Number", "Binary"}:
        raise InvalidParameterValue(
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
            "prefixes is Binary, Number, and String."
        )
    content = base64.b64decode(value.get("BinaryValue", "")) if kind == "Binary" else value.get("StringValue")
    if not content:
        raise InvalidParameterValue(
            f"The message attribute '{name}' must contain non-empty message attribute value for message attribute "
            f"type '{data_type}'."
        )
    return MessageAttribute(data_type, content)


def _within(request: Json, name: str, default: int, least: int, most: int) -> int:
    value: int = request.get(name, default)
    if not least <= value <= most:
        raise InvalidParameterValue(
            f"Value {value} for parameter {name} is invalid. Reason: Must be between {least} and {most}, if provided."
        )
    return value


def _visibility(request: Json) -> int:
    return _within(request, "VisibilityTimeout", 0, 0, MAXIMUM_VISIBILITY_S)


def _name_filter(patterns: list[str]) -> Callable[[str], bool]:
    prefixes = tuple(pattern[:-2] for pattern in patterns if pattern.endswith(".*"))
    return lambda name: "All" in patterns or name in patterns or name.startswith(prefixes)


def _received(delivery: Delivery, system_names: set[str], wanted: Callable[[str], bool]) -> Json:
    message: Json = {
        "MessageId": delivery.message_id,
        "ReceiptHandle": delivery.receipt_handle,
        "MD5OfBody": md5_of_body(delivery.body),
        "Body": delivery.body,
    }
    system = {name: value for name, value in delivery.system_attributes.items() if {"All", name} & system_names}
    if system:
        message["Attributes"] = system
    attributes = {name: value for name, value in delivery.attributes.items() if wanted(name)}
    if attributes:
        message["MD5OfMessageAttributes"] = md5_of_attributes(attributes)
        message["MessageAttributes"] = {name: _on_the_wire(value) for name, value in attributes.items()}
    return message


def _on_the_wire(attribute: MessageAttribute) -> Json:
    if isinstance(attribute.value, bytes):
        return {"DataType": attribute.data_type, "BinaryValue": base64.b64encode(attribute.value).decode()}
    return {"DataType": attribute.data_type, "StringValue": attribute.value}
