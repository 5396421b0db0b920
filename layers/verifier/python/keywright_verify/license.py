"""
The license as the product reads it, and the rules that its claims must keep.

It knows no clock and no machine: whether the license may be used here and now is judged elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from keywright_verify.codes import Code, Refused
from keywright_verify.encoding import parse_canonical_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_TIME = 253_402_300_799
"""The last second of the year 9999, the last that every date library can show."""
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


class Kind(StrEnum):
    """
    How the license is sold: by period, by use, or once for a site without a network.
    """

    UNLIMITED = "UNLIMITED"
    USAGE = "USAGE"
    AIR_GAPPED = "AIR_GAPPED"


class Enforcement(StrEnum):
    """
    What expiry does: nothing, stop after the grace period, or stop at once.
    """

    ADVISORY = "advisory"
    GRACE = "grace"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class License:
    """
    The claims of a license whose signature is good. Times are seconds since 1970, UTC.
    """

    license_sid: str
    seq: int
    customer_sid: str
    issuer: str
    audience: str
    product_family: str
    product: str
    plan: str
    kind: Kind
    domain: str
    fingerprint: str | None
    entitlements: Mapping[str, bool | int | str]
    limits: Mapping[str, int]
    issued_at: int
    not_before: int
    expires_at: int
    grace_until: int
    enforcement: Enforcement
    rev_epoch_min: int
    cause: Mapping[str, int | str]
    kid: str
    claims: Mapping[str, Any]
    """All claims as signed, also those that this version does not know."""


def read_license(payload: bytes, *, kid: str) -> License:
    """
    Read the claims.

    :raises Refused: if the payload is not canonical JSON, or a claim breaks the format
    """
    try:
        claims: dict[str, Any] = parse_canonical_object(payload)
    except ValueError as error:
        raise Refused(Code.CLAIMS_INVALID, str(error)) from error
    for name, is_allowed in _RULES.items():
        if not is_allowed(claims.get(name)):
            raise Refused(Code.CLAIMS_INVALID, f"{name} is missing or not allowed")
    if claims["aud"] != claims["product_family"]:
        raise Refused(Code.CLAIMS_INVALID, "aud is not product_family")
    if not claims["nbf"] < claims["exp"] <= claims["grace_until"]:
        raise Refused(Code.CLAIMS_INVALID, "nbf, exp and grace_until are out of order")
    if "fingerprint" in claims and not _is_name(claims["fingerprint"]):
        raise Refused(Code.CLAIMS_INVALID, "fingerprint is not allowed")
    return _license(claims, kid=kid)


def _license(claims: dict[str, Any], *, kid: str) -> License:
    return License(
        license_sid=claims["lid"],
        seq=claims["seq"],
        customer_sid=claims["sub"],
        issuer=claims["iss"],
        audience=claims["aud"],
        product_family=claims["product_family"],
        product=claims["product"],
        plan=claims["plan"],
        kind=Kind(claims["kind"]),
        domain=claims["domain"],
        fingerprint=claims.get("fingerprint"),
        entitlements=MappingProxyType(claims["entitlements"]),
        limits=MappingProxyType(claims["limits"]),
        issued_at=claims["iat"],
        not_before=claims["nbf"],
        expires_at=claims["exp"],
        grace_until=claims["grace_until"],
        enforcement=Enforcement(claims["enforcement"]),
        rev_epoch_min=claims["rev_epoch_min"],
        cause=MappingProxyType(claims["cause"]),
        kid=kid,
        claims=MappingProxyType(claims),
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_time(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_TIME


def _is_host_name(value: object) -> bool:
    return isinstance(value, str) and _HOST_NAME.fullmatch(value) is not None


def _is_one_of(values: type[StrEnum]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in list(values)


def _is_object_of(*types: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, dict) and all(type(child) in types for child in value.values())


_RULES: dict[str, Callable[[object], bool]] = {
    "iss": _is_name,
    "aud": _is_name,
    "sub": _is_name,
    "lid": _is_name,
    "seq": _is_count,
    "domain": _is_host_name,
    "product_family": _is_name,
    "product": _is_name,
    "plan": lambda value: isinstance(value, str),
    "kind": _is_one_of(Kind),
    "entitlements": _is_object_of(bool, int, str),
    "limits": _is_object_of(int),
    "iat": _is_time,
    "nbf": _is_time,
    "exp": _is_time,
    "grace_until": _is_time,
    "enforcement": _is_one_of(Enforcement),
    "rev_epoch_min": _is_count,
    "cause": _is_object_of(int, str),
}
