"""Takes hints out of the queues, and puts hints before a worker as SQS would."""

from __future__ import annotations

import json
from typing import Any

import boto3

from keywright.platform.config import setting


def take(queue: str) -> list[str]:
    """Empty a queue; return the ids that its hints name, as they came."""
    sqs, url = boto3.client("sqs"), setting(f"{queue}_QUEUE_URL")
    taken: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        taken += [value for message in messages for value in json.loads(message["Body"]).values()]
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return taken


def drop(queue: str) -> None:
    """Empty a queue at once, however much earlier tests have left in it."""
    sqs, url = boto3.client("sqs"), setting(f"{queue}_QUEUE_URL")
    sqs.delete_queue(QueueUrl=url)
    sqs.create_queue(QueueName=url.rpartition("/")[2])


def batch(*bodies: dict[str, str] | str) -> dict[str, Any]:
    """Return the event of a batch of messages; a text is a body as it is."""
    return {
        "Records": [
            {
                "messageId": f"message-{number}",
                "receiptHandle": "handle",
                "body": body if isinstance(body, str) else json.dumps(body),
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:queue",
                "awsRegion": "eu-central-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def failed(answer: dict[str, Any]) -> list[str]:
    """Return the messages that a worker reported as failed."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
