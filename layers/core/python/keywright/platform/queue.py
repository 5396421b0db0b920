"""
SQS as carrier of hints. A hint is only a nudge: the rows in the database are what must not be lost.

So a failed send is logged and forgotten; the dispatcher finds the row.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from keywright.platform import log
from keywright.platform.config import setting

EVENTS = "EVENTS"
JOBS = "JOBS"

_LONGEST_DELAY_S = 900
_BATCH = 10  # the most that SendMessageBatch takes


def hint(queue: str, messages: list[dict[str, str]], *, delay_s: int = 0) -> None:
    """
    Send the messages, such as ``{"job_sid": …}``, to the queue named by the setting ``<QUEUE>_QUEUE_URL``.

    A delay longer than SQS takes is left to the dispatcher.
    """
    if delay_s > _LONGEST_DELAY_S:
        return
    for start in range(0, len(messages), _BATCH):
        _send(queue, messages[start : start + _BATCH], delay_s)


def _send(queue: str, messages: list[dict[str, str]], delay_s: int) -> None:
    entries = [
        {"Id": str(number), "MessageBody": json.dumps(message), "DelaySeconds": delay_s}
        for number, message in enumerate(messages)
    ]
    try:
        answer = _client().send_message_batch(QueueUrl=setting(f"{queue}_QUEUE_URL"), Entries=entries)
    except _failures() as problem:
        log.warning("hint not sent", queue=queue, messages=len(messages), reason=str(problem))
        return
    if failed := answer.get("Failed"):
        log.warning("hint not sent", queue=queue, messages=len(failed), reason=str(failed[0].get("Code")))


@lru_cache
def _client() -> Any:
    import boto3  # noqa: PLC0415  (lazy: half of the functions never send)
    from botocore.config import Config  # noqa: PLC0415

    # A caller waits behind this call, and the dispatcher stands behind a lost hint: fail soon.
    return boto3.client("sqs", config=Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2}))


def _failures() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    return (BotoCoreError, ClientError)
