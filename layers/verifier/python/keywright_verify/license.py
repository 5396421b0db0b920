"""
The license as the product reads it, and the rules that its claims must keep.

It knows no clock and no machine: whether the license may be used here and now is judged elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from keywright_verify import claims as rules
from keywright_verify.codes import Code, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keywright_verify.jws import Signed

TYPE = "license+jwt"


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
    challenge: str | None
    usage_key: str | None
    """The machine's public key for usage exports, as the ``x`` of its JSON Web Key."""
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


def read_license(signed: Signed) -> License:
    """
    Read the claims.

    :raises Refused: if the payload is not canonical JSON, a claim breaks the format, or the key was not in use
    """
    claims = rules.read_claims(signed, _RULES, _OPTIONAL)
    if claims["aud"] != claims["product_family"]:
        raise Refused(Code.CLAIMS_INVALID, "aud is not product_family")
    if not claims["nbf"] < claims["exp"] <= claims["grace_until"]:
        raise Refused(Code.CLAIMS_INVALID, "nbf, exp and grace_until are out of order")
    rules.require_key_in_use(signed, claims["iat"])
    return _license(claims, kid=signed.key.kid)


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
        challenge=claims.get("challenge"),
        usage_key=claims.get("usage_key"),
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


_RULES: dict[str, rules.Rule] = {
    "iss": rules.is_name,
    "aud": rules.is_name,
    "sub": rules.is_name,
    "lid": rules.is_name,
    "seq": rules.is_count,
    "domain": rules.is_host_name,
    "product_family": rules.is_name,
    "product": rules.is_name,
    "plan": rules.is_text,
    "kind": rules.is_one_of(Kind),
    "entitlements": rules.is_object_of(bool, int, str),
    "limits": rules.is_object_of(int),
    "iat": rules.is_time,
    "nbf": rules.is_time,
    "exp": rules.is_time,
    "grace_until": rules.is_time,
    "enforcement": rules.is_one_of(Enforcement),
    "rev_epoch_min": rules.is_count,
    "cause": rules.is_object_of(int, str),
}
_OPTIONAL: dict[str, rules.Rule] = {
    "fingerprint": rules.is_name,
    "challenge": rules.is_nonce,
    "usage_key": rules.is_sha256,
}
