"""
What the API promises of every answer, whatever was asked, beyond the shapes in its description.

Pure: an answer is judged by the route's description, the documented problems and whether the caller is anybody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.openapi import DOCUMENT
from keywright.identity.policy import OPEN, POLICY
from keywright.platform.problems import MEDIA_TYPE
from tests.api import Answer

_PAGE = Path(__file__).parents[2] / "docs/problems.md"
_LINE = re.compile(r"^\| `([a-z0-9-]+)` \| (\d{3}) \|", re.MULTILINE)

BEFORE_WHO = frozenset(
    {
        "access-token-invalid",
        "body-invalid",
        "body-too-large",
        "content-type-unsupported",
        "request-invalid",
        "request-unreadable",
        "route-not-found",
    }
)
"""The problems that a stranger may be told of on a route that asks for a token: none needs a look at any row."""


def description() -> dict[str, Any]:
    """Return the committed description of the API."""
    document: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return document


def documented_problems() -> dict[str, int]:
    """Return the status of every documented code."""
    return {code: int(status) for code, status in _LINE.findall(_PAGE.read_text())}


@dataclass(frozen=True)
class Contract:
    """The description's paths, and the problems' statuses by their codes."""

    paths: Mapping[str, Mapping[str, Any]]
    problems: Mapping[str, int]

    @classmethod
    def committed(cls) -> Contract:
        """Return what the project's own documents promise."""
        return cls(description()["paths"], documented_problems())

    def breaches(self, route: str, answer: Answer, *, is_stranger: bool = False) -> list[str]:
        """Return what is wrong with an answer to a request for the route, by a stranger or by somebody."""
        wrong = self.answer_breaches(answer)
        if answer.status < 400 and str(answer.status) not in self._statuses(route):
            wrong.append(f"{answer.status} is documented nowhere")
        if is_stranger and POLICY[route] not in OPEN and _code(answer) not in BEFORE_WHO:
            wrong.append(f"{answer.status} answers a stranger with {_code(answer)}")
        return [f"{route}: {each}" for each in wrong]

    def answer_breaches(self, answer: Answer) -> list[str]:
        """Return what is wrong with an answer whatever was asked: a failure of ours, or an error nobody described."""
        if answer.status >= 500:
            return [f"{answer.status} is our fault: {answer.text[:300]}"]
        return [f"{answer.status} {wrong}" for wrong in self._wrong_problem(answer)] if answer.status >= 400 else []

    def _statuses(self, route: str) -> Collection[str]:
        method, _, path = route.partition(" ")
        statuses: Collection[str] = self.paths[path][method.lower()]["responses"]
        return statuses

    def _wrong_problem(self, answer: Answer) -> Iterator[str]:
        document = answer.json if answer.headers.get("content-type") == MEDIA_TYPE else None
        if not isinstance(document, dict):
            yield f"is no problem document: {answer.text[:100]!r}"
            return
        code = document.get("code")
        if self.problems.get(str(code)) != answer.status or document.get("status") != answer.status:
            yield f"is not the documented status of {code}"
        if document.get("type") != f"/problems/{code}":
            yield f"has the type {document.get('type')}"
        if not document.get("correlation_id") == answer.headers.get("x-correlation-id") != "":
            yield "names no correlation id"


def _code(answer: Answer) -> Any:
    try:
        return answer.json.get("code") if isinstance(answer.json, dict) else None
    except ValueError:
        return None
