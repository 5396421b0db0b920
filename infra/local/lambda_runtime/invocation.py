"""
What is asked of a function, and the ways in which it can fail to answer.

The failures carry what Lambda itself would report: ``errorType`` and ``errorMessage``.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Lambda's bound on a synchronous event and on its answer, in bytes."""


@dataclass(frozen=True)
class Invocation:
    """One event for one function, as the Runtime API hands it over."""

    request_id: str
    function_arn: str
    deadline_ms: int
    trace_id: str
    payload: bytes


@dataclass
class Exchange:
    """An invocation and the answer to it that a process owes."""

    invocation: Invocation
    answer: asyncio.Future[bytes] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    taken: bool = False
    """Whether the process has seen the event: if not, another process may be given it without harm."""


class InvocationFailed(Exception):
    """The function raised, ended, ran out of time, or could not be started."""

    def __init__(self, error_type: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
        self.details = details or {"errorType": error_type, "errorMessage": message}

    @classmethod
    def from_report(cls, report: bytes) -> InvocationFailed:
        """
        Read the error object that a runtime posts.
        """
        try:
            details = json.loads(report)
        except ValueError:
            details = None
        if not isinstance(details, dict):
            details = {"errorType": "Runtime.Unknown", "errorMessage": report.decode("utf-8", "replace")}
        return cls(str(details.get("errorType", "")), str(details.get("errorMessage", "")), details)


class InitFailed(InvocationFailed):
    """The process ended, or reported an error, before it asked for its first event."""


class Throttled(Exception):
    """No process came free within the time that the caller was willing to wait."""


class NotTaken(Exception):
    """The process ended before it saw the event."""
