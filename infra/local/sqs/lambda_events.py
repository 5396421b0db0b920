"""
A batch of messages as Lambda's SQS event, and what a function's answer says of the batch.

Pure. The rules for the answer are those of ``ReportBatchItemFailures`` in the Lambda developer guide.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from infra.local.sqs.message import Delivery, MessageAttribute, md5_of_attributes, md5_of_body


def sqs_event(deliveries: Sequence[Delivery], *, queue_arn: str) -> dict[str, Any]:
    """
    Build the event of one batch.
    """
    region = queue_arn.split(":")[3]
    return {"Records": [_record(delivery, queue_arn, region) for delivery in deliveries]}


def failed_ids(answer: bytes, sent_ids: set[str]) -> set[str]:
    """
    Name the messages that the function did not handle; whatever cannot be read fails the whole batch.
    """
    try:
        failed = _reported(json.loads(answer))
    except (ValueError, TypeError, KeyError):
        return sent_ids
    return failed if failed.issubset(sent_ids) else sent_ids


def _reported(value: Any) -> set[str]:
    if value is None or value == []:
        return set()
    if not isinstance(value, dict):
        raise TypeError("not an object")
    failures = value.get("batchItemFailures")
    if failures is None:
        return set()
    if not isinstance(failures, list):
        raise TypeError("not a list")
    return {failure["itemIdentifier"] for failure in failures}


def _record(delivery: Delivery, queue_arn: str, region: str) -> dict[str, Any]:
    record: dict[str, Any] = {
        "messageId": delivery.message_id,
        "receiptHandle": delivery.receipt_handle,
        "body": delivery.body,
        "attributes": delivery.system_attributes,
        "messageAttributes": {name: _attribute(value) for name, value in delivery.attributes.items()},
        "md5OfBody": md5_of_body(delivery.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
    if delivery.attributes:
        record["md5OfMessageAttributes"] = md5_of_attributes(delivery.attributes)
    return record


def _attribute(attribute: MessageAttribute) -> dict[str, Any]:
    shape: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": attribute.data_type}
    if isinstance(attribute.value, bytes):
        return {"binaryValue": base64.b64encode(attribute.value).decode(), **shape}
    return {"stringValue": attribute.value, **shape}
