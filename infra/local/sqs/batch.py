"""
What the batch operations of SQS share: the rules for entries, and an answer per entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from infra.local.sqs.errors import (
    BatchEntryIdsNotDistinct,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    SqsError,
    TooManyEntriesInBatchRequest,
)

Json = dict[str, Any]

BATCH_LIMIT = 10

_ENTRY_ID = re.compile(r"[\w-]{1,80}", re.ASCII)


def checked_entries(request: Json, action: str) -> list[Json]:
    """
    Read a batch's entries.

    :raises SqsError: if the batch as a whole is refused
    """
    entries: list[Json] = request.get("Entries", [])
    if not entries:
        raise EmptyBatchRequest(f"There should be at least one {action}BatchRequestEntry in the request.")
    if not all(_ENTRY_ID.fullmatch(entry["Id"]) for entry in entries):
        raise InvalidBatchEntryId(
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long."
        )
    seen = set()
    for entry in entries:
        if entry["Id"] in seen:
            raise BatchEntryIdsNotDistinct(f"Id {entry['Id']} repeated.")
        seen.add(entry["Id"])
    if len(entries) > BATCH_LIMIT:
        raise TooManyEntriesInBatchRequest(
            f"Maximum number of entries per request are {BATCH_LIMIT}. You have sent {len(entries)}."
        )
    return entries


def run_batch(entries: list[Json], act: Callable[[Json], Json]) -> Json:
    """
    Do each entry by itself: one that is refused does not stop the others.
    """
    done, failed = [], []
    for entry in entries:
        try:
            done.append({"Id": entry["Id"], **act(entry)})
        except SqsError as error:
            failed.append({"Id": entry["Id"], "SenderFault": True, "Code": error.code, "Message": error.message})
    return {"Successful": done, "Failed": failed}
