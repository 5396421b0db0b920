"""
The way in from SQS: a batch of hints, each handled by itself, and a report of those that failed.

AWS deletes what is not reported, so a hint that cannot even be read is reported too and ends in the dead-letter queue.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from keywright.platform import log

# Stop beginning new work when this little time is left: what is not begun comes back to another container.
_RESERVE_MS = 3000


def answer(event: dict[str, Any], context: Any, *, handle: Callable[[dict[str, str]], None]) -> dict[str, Any]:
    """Call ``handle`` with the body of each message; return the partial batch response."""
    failed = [record["messageId"] for record in event["Records"] if not _handled(record, context, handle)]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def answer_together(event: dict[str, Any], *, field: str, handle: Callable[[list[str]], None]) -> dict[str, Any]:
    """Call ``handle`` once with what all readable messages say in ``field``; return the partial batch response."""
    told, failed = [], []
    for record in event["Records"]:
        try:
            told.append(_read(record["body"])[field])
        except (ValueError, KeyError, TypeError, RecursionError):
            log.warning("hint unreadable", message_id=record["messageId"])
            failed.append(record["messageId"])
    try:
        handle(told)
    except Exception as problem:  # noqa: BLE001  (whatever it was, the queue keeps the hints)
        log.error("hints failed", kind=type(problem).__name__)
        failed = [record["messageId"] for record in event["Records"]]
    finally:
        log.unbind()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _handled(record: dict[str, Any], context: Any, handle: Callable[[dict[str, str]], None]) -> bool:
    if context.get_remaining_time_in_millis() < _RESERVE_MS:
        return False
    log.bind(correlation_id=record["messageId"])
    try:
        handle(_read(record["body"]))
    except Exception as problem:  # noqa: BLE001  (one poisonous message must not take its batch with it)
        log.error("hint failed", kind=type(problem).__name__)
        return False
    finally:
        log.unbind()
    return True


def _read(body: str) -> dict[str, str]:
    """
    Return what a message says: ids, which are ASCII.

    The database would take a number for the name of rows that it does not name, and refuse to compare other text.
    """
    hint = json.loads(body)
    if not isinstance(hint, dict) or not all(isinstance(said, str) and said.isascii() for said in hint.values()):
        raise TypeError("A hint is an object of ids.")
    return hint
