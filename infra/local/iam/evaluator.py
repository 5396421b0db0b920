"""
What IAM decides about one request, given the statements of a role. Pure.

It knows the parts of the policy language that are listed here, and raises on any other: a condition that is guessed
at would make a refusal of AWS look like a permission.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

Statement = Mapping[str, Any]

_KNOWN = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})
# arn:partition:service:region:account:resource. A wildcard stays inside its segment; the resource is all that remains.
_SEGMENTS = 6


class PolicyUnknown(ValueError):
    """A statement says something that is not understood here."""


class Decision(Enum):
    """What IAM says; only one of them lets the request pass."""

    ALLOWED = "allowed"
    DENIED = "denied by a statement"
    NOT_ALLOWED = "allowed by no statement"


@dataclass(frozen=True)
class Request:
    """An action on one resource, and what else is known about the request by condition key."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


def decide(statements: Iterable[Statement], request: Request) -> Decision:
    """
    Judge a request: a Deny that applies wins over everything, and what no Allow covers is refused.

    :raises PolicyUnknown: if a statement holds a part, an effect or a condition operator that is not known here
    """
    effects = {_effect(statement) for statement in statements if _applies(statement, request)}
    if "Deny" in effects:
        return Decision.DENIED
    return Decision.ALLOWED if effects else Decision.NOT_ALLOWED


def _effect(statement: Statement) -> str:
    if (effect := statement.get("Effect")) not in {"Allow", "Deny"}:
        raise PolicyUnknown(f"A statement's effect is {effect!r}.")
    return str(effect)


def _applies(statement: Statement, request: Request) -> bool:
    if strange := set(statement) - _KNOWN:
        raise PolicyUnknown(f"A statement has {sorted(strange)}, which is not known here.")
    return (
        _covers(statement, "Action", lambda pattern: _like(pattern.lower(), request.action.lower()))
        and _covers(statement, "Resource", lambda pattern: arn_matches(pattern, request.resource))
        and _fulfilled(statement.get("Condition", {}), request.context)
    )


def _covers(statement: Statement, part: str, matches: Callable[[str], bool]) -> bool:
    """Tell whether ``part`` names it, or ``Not<part>`` does not."""
    named, excluded = statement.get(part), statement.get(f"Not{part}")
    if (named is None) == (excluded is None):
        raise PolicyUnknown(f"A statement needs one of {part} and Not{part}.")
    if excluded is not None:
        return not any(map(matches, listed(excluded)))
    assert named is not None
    return any(map(matches, listed(named)))


def arn_matches(pattern: str, arn: str) -> bool:
    """Tell whether a pattern such as ``arn:aws:sqs:*:123456789012:keywright-*`` covers an ARN."""
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", _SEGMENTS - 1), arn.split(":", _SEGMENTS - 1)
    return len(wanted) == len(given) and all(map(_like, wanted, given))


def listed(value: str | Iterable[str]) -> list[str]:
    """Return a list where the policy language allows one text or several."""
    return [value] if isinstance(value, str) else list(value)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)


def _like(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


def _same(wanted: str, given: str) -> bool:
    return wanted == given


def _same_truth(wanted: str, given: str) -> bool:
    return wanted.lower() == given.lower()


# What an operator compares with, and whether it is fulfilled when none of the values fits.
_OPERATORS: Mapping[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_same, False),
    "StringNotEquals": (_same, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (arn_matches, False),
    "ArnLike": (arn_matches, False),
    "ArnNotEquals": (arn_matches, True),
    "ArnNotLike": (arn_matches, True),
    "Bool": (_same_truth, False),
}


def _fulfilled(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    keys = {key.lower(): value for key, value in context.items()}
    return all(
        _holds(operator, [str(value) for value in listed(values)], keys.get(key.lower()))
        for operator, wanted in conditions.items()
        for key, values in wanted.items()
    )


def _holds(operator: str, values: list[str], given: str | None) -> bool:
    if operator == "Null":
        return values[0].lower() == str(given is None).lower()
    name = operator.removesuffix("IfExists")
    if name not in _OPERATORS:
        raise PolicyUnknown(f"The condition operator {operator} is not known here.")
    matches, is_negated = _OPERATORS[name]
    if given is None:
        # An absent key fulfills what is negated, and what is asked only if it is there.
        return is_negated or name != operator
    return any(matches(value, given) for value in values) is not is_negated
