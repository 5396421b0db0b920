"""
Keep a record of all that the document calls wrong: requests, answers and events of one stand-in.

It changes no answer: the caller under test must not notice that it is being judged.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

from infra.local.stripe.http import Request, Response
from infra.local.stripe.store import Object
from infra.local.stripe.version import API_VERSION

_UNAUTHORIZED, _NOT_FOUND = 401, 404
_FINE = 200


class Document(Protocol):
    """What can judge."""

    def knows(self, method: str, path: str) -> bool:
        """Tell whether there is such a route."""

    def request_problems(self, method: str, path: str, query: str, body: str) -> list[str]:
        """Judge a request."""

    def answer_problems(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Judge an answer."""

    def object_problems(self, value: dict[str, Any]) -> list[str]:
        """Judge one object."""


class Judge:
    """
    The record of one run.

    :param strict: judge refused requests too, as fits a program; tests of refusals send wrong ones on purpose
    :param folder: where to leave the record for whoever started this process
    """

    def __init__(self, document: Document, *, strict: bool = True, folder: Path | None = None) -> None:
        self._document = document
        self._strict = strict
        self._file = None if folder is None else folder / f"{os.getpid()}.json"
        self._violations: Counter[str] = Counter()
        self._judged: Counter[str] = Counter()

    def exchange(self, request: Request, response: Response) -> None:
        """Judge a request and its answer."""
        if response.broken:
            return
        where = f"{request.method} {request.path} -> {response.status}"
        if response.status == _UNAUTHORIZED or (response.status == _NOT_FOUND and not self._strict):
            return
        if not self._document.knows(request.method, request.path):
            self._note(where, ["the document has no such route"])
            return
        target = request.method, request.path
        body = json.loads(response.body)
        answer = self._document.answer_problems(*target, response.status, body)
        self._judged["answers"] += 1
        self._judged["objects"] += _objects_in(body)
        self._note(f"{where}, answer", answer)
        if self._strict or response.status == _FINE:
            self._judged["requests"] += 1
            form = request.body.decode("utf-8", errors="replace")
            self._note(f"{where}, request", self._document.request_problems(*target, request.query, form))

    def event(self, event: Object) -> None:
        """Judge an event and the object in it; other versions have shapes that this document does not know."""
        if event["object"] == "v2.core.event":
            self._judged["events"] += 1
            self._note(f"event {event['type']}", self._document.object_problems(event))
            return
        if event["api_version"] != API_VERSION:
            return
        subject = event["data"]["object"]
        self._judged["events"] += 1
        self._judged["objects"] += _objects_in(subject)
        problems = self._document.object_problems(event) + self._document.object_problems(subject)
        self._note(f"event {event['type']} ({subject['object']})", problems)

    def report(self) -> dict[str, Any]:
        """Show what was judged, and what was found wrong with it."""
        return {
            "judged": dict(self._judged),
            "violations": [{"problem": problem, "times": times} for problem, times in self._violations.items()],
        }

    def save(self) -> None:
        """Leave the record in the folder."""
        if self._file is not None:
            self._file.write_text(json.dumps(self.report(), indent=1))

    def _note(self, where: str, problems: list[str]) -> None:
        for problem in problems:
            self._violations[f"{where}: {problem}"] += 1
        if problems:
            self.save()  # at once: a process that is killed later must not take it along


def _objects_in(value: Any) -> int:
    """Count the typed objects in a value, nested ones included."""
    if isinstance(value, list):
        return sum(_objects_in(element) for element in value)
    if not isinstance(value, dict):
        return 0
    return isinstance(value.get("object"), str) + sum(_objects_in(field) for field in value.values())
