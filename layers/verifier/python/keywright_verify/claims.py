"""
The rules that single claims must keep, shared by everything that is signed.

A rule sees one value and says yes or no. It knows no clock, no machine and no other claim.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from keywright_verify.codes import Code, Refused
from keywright_verify.encoding import parse_canonical_object

if TYPE_CHECKING:
    from keywright_verify.jws import Signed

MAX_TIME = 253_402_300_799
"""The last second of the year 9999, the last that every date library can show."""
Rule = Callable[[object], bool]
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,86}")
_SHA256 = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
_SYMBOL = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def read_claims(
    signed: Signed, rules: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None
) -> dict[str, Any]:
    """
    Read the claims of a token whose signature is good.

    :raises Refused: if the payload is not canonical JSON, or a claim breaks its rule
    """
    try:
        claims: dict[str, Any] = parse_canonical_object(signed.payload)
    except ValueError as error:
        raise Refused(Code.CLAIMS_INVALID, str(error)) from error
    for name, is_allowed in rules.items():
        if name not in claims or not is_allowed(claims[name]):
            raise Refused(Code.CLAIMS_INVALID, f"{name} is missing or not allowed")
    for name, is_allowed in (optional or {}).items():
        if name in claims and not is_allowed(claims[name]):
            raise Refused(Code.CLAIMS_INVALID, f"{name} is not allowed")
    return claims


def require_key_in_use(signed: Signed, at: int) -> None:
    """
    Refuse what a key signed before or after its period of use.

    :raises Refused: with ``KEY_NOT_VALID_AT_ISSUE``
    """
    if not signed.key.was_in_use(at):
        raise Refused(Code.KEY_NOT_VALID_AT_ISSUE, f"key {signed.key.kid} was not in use when it was signed")


def is_text(value: object) -> bool:
    """Any text, also the empty one."""
    return isinstance(value, str)


def is_name(value: object) -> bool:
    """Text that says something."""
    return isinstance(value, str) and value != ""


def is_count(value: object) -> bool:
    """A whole number from 0 on; true and false are none."""
    return type(value) is int and value >= 0


def is_positive(value: object) -> bool:
    """A whole number from 1 on."""
    return type(value) is int and value > 0


def is_boolean(value: object) -> bool:
    """True or false, and not 1 or 0."""
    return isinstance(value, bool)


def is_time(value: object) -> bool:
    """Seconds since 1970, up to the year 9999."""
    return type(value) is int and 0 <= value <= MAX_TIME


def is_host_name(value: object) -> bool:
    """A host name in the one spelling that licenses have."""
    return isinstance(value, str) and _HOST_NAME.fullmatch(value) is not None


def is_nonce(value: object) -> bool:
    """At least 128 bits in base64url."""
    return isinstance(value, str) and _NONCE.fullmatch(value) is not None


def is_sha256(value: object) -> bool:
    """32 bytes in base64url, without stray bits."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def is_symbol(value: object) -> bool:
    """A code or reason as machines compare it."""
    return isinstance(value, str) and _SYMBOL.fullmatch(value) is not None


def is_one_of(values: type[StrEnum]) -> Rule:
    """Make the rule for the values of an enumeration."""
    return lambda value: isinstance(value, str) and value in list(values)


def is_object_of(*types: type) -> Rule:
    """Make the rule for an object whose values are of these exact types."""
    return lambda value: isinstance(value, dict) and all(type(child) in types for child in value.values())


def is_list_of(rule: Rule) -> Rule:
    """Make the rule for a list whose entries keep a rule."""
    return lambda value: isinstance(value, list) and all(rule(child) for child in value)


def is_exactly(rules: Mapping[str, Rule]) -> Rule:
    """
    Make the rule for an object with these members and no other.
    """
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == rules.keys()
        and all(is_allowed(value[name]) for name, is_allowed in rules.items())
    )
