"""
Stripe's search query language, as far as its documentation shows it. Pure.

Clauses are ``field:value``, ``field~"part"``, ``field>number`` and ``metadata["key"]:"value"``, each negated by a
leading ``-`` and joined by AND (or a blank) or by OR, but not by both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.local.stripe.errors import invalid

_STRING = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_CLAUSE = re.compile(
    rf"(?P<minus>-?)(?P<field>[a-z][a-z0-9_.]*)(?:\[(?P<key>{_STRING})\])?"
    rf"(?P<sign>:|~|>=|<=|>|<)(?P<value>{_STRING}|null|true|false|-?\d+(?:\.\d+)?)"
)
_JOINT = re.compile(r"\s+(?:(AND|OR)\s+)?", re.IGNORECASE)
_MAX_CLAUSES = 10
_SHORTEST_PART = 3
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}


@dataclass(frozen=True)
class Clause:
    """One condition on one field."""

    field: str
    key: str | None
    sign: str
    value: str | int | bool | None
    negated: bool

    def matches(self, subject: dict[str, Any]) -> bool:
        """Tell whether the object is as this clause wants it."""
        return self._holds(self._found(subject)) is not self.negated

    def _found(self, subject: dict[str, Any]) -> Any:
        found: Any = subject
        for name in self.field.split("."):
            found = (found or {}).get(name)
        return (found or {}).get(self.key) if self.key is not None else found

    def _holds(self, found: Any) -> bool:
        if self.sign in _COMPARE:
            return found is not None and _COMPARE[self.sign](found, self.value)
        if isinstance(found, str) and self.value is not None:
            one, other = found.lower(), str(self.value).lower()  # a card's last4 may be written as a number
            return other in one if self.sign == "~" else other == one
        return bool(found == self.value)


@dataclass(frozen=True)
class Query:
    """Clauses, of which all must hold, or any."""

    clauses: tuple[Clause, ...]
    any_of: bool

    def matches(self, subject: dict[str, Any]) -> bool:
        """Tell whether the object is found."""
        held = (clause.matches(subject) for clause in self.clauses)
        return any(held) if self.any_of else all(held)


def parse(text: str, fields: frozenset[str]) -> Query:
    """Read a query over the fields that its resource can be searched by."""
    position, clauses, joints = 0, [], set[str]()
    text = text.strip()
    while True:
        found = _CLAUSE.match(text, position)
        if found is None:
            raise invalid(f"We were unable to parse your search query: {text}", param="query")
        clauses.append(_clause(found, fields))
        position = found.end()
        if position == len(text):
            break
        joint = _JOINT.match(text, position)
        if joint is None:
            raise invalid(f"We were unable to parse your search query: {text}", param="query")
        joints.add((joint[1] or "AND").upper())
        position = joint.end()
    if len(joints) > 1:
        raise invalid("A search query cannot combine AND with OR.", param="query")
    if len(clauses) > _MAX_CLAUSES:
        raise invalid(f"A search query has at most {_MAX_CLAUSES} clauses.", param="query")
    return Query(tuple(clauses), joints == {"OR"})


def _clause(found: re.Match[str], fields: frozenset[str]) -> Clause:
    field, sign = found["field"], found["sign"]
    if field not in fields or (field == "metadata") != (found["key"] is not None):
        raise invalid(f"Field `{field}` is an unsupported search field for this resource.", param="query")
    value = _value(found["value"])
    if sign == "~" and (not isinstance(value, str) or len(value) < _SHORTEST_PART):
        raise invalid(f"`~` takes a text of at least {_SHORTEST_PART} characters.", param="query")
    if sign in _COMPARE and (isinstance(value, bool) or not isinstance(value, int)):
        raise invalid(f"`{sign}` takes a number.", param="query")
    key = _unquoted(found["key"]) if found["key"] else None
    return Clause(field, key, sign, value, found["minus"] == "-")


def _value(text: str) -> str | int | bool | None:
    if text[0] in "\"'":
        quoted = _unquoted(text)
        # A quoted true or false is one, as Stripe's own examples write them.
        return {"true": True, "false": False}.get(quoted, quoted)
    words: dict[str, bool | None] = {"null": None, "true": True, "false": False}
    if text in words:
        return words[text]
    if "." in text:
        raise invalid(f"Numbers in search queries are whole: {text}", param="query")
    return int(text)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
