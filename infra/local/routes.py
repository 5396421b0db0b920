"""
Which function answers a method and a path.

API Gateway's rule: a literal segment is preferred to a parameter, from the left. Greedy parameters
(``{proxy+}``) and ``ANY`` are not part of the manifest, and so not of this table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from infra.manifest import Function


@dataclass(frozen=True)
class RouteMatch:
    """A route that fits, and the values of its path parameters."""

    function: str
    route_key: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class _Entry:
    function: str
    method: str
    path: str

    @property
    def segments(self) -> list[str]:
        return self.path.split("/")


class RouteTable:
    """Every route of the manifest, the most literal ones first."""

    def __init__(self, functions: Iterable[Function]) -> None:
        entries = [_Entry(f.name, route.method, route.path) for f in functions for route in f.routes]
        self._entries = sorted(entries, key=lambda entry: [_is_parameter(segment) for segment in entry.segments])

    def find(self, method: str, encoded_path: str) -> RouteMatch | None:
        """
        Find the route of a path as it came over the wire, percent-encoded.
        """
        # Cut before decoding, so that an encoded slash stays inside its parameter.
        segments = [unquote(segment) for segment in encoded_path.split("/")]
        for entry in self._entries:
            if entry.method == method and (parameters := _fit(entry.segments, segments)) is not None:
                return RouteMatch(entry.function, f"{entry.method} {entry.path}", parameters)
        return None


def _fit(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    parameters = {}
    for expected, segment in zip(pattern, segments, strict=True):
        if _is_parameter(expected) and segment:
            parameters[expected[1:-1]] = segment
        elif expected != segment:
            return None
    return parameters


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")
