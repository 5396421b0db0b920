"""
The signed form of what we issue: an Ed25519 compact JWS over canonical JSON (docs/license-format.md).

Ed25519 signatures are deterministic and the JSON is canonical, so the same claims give the same bytes. Here nothing is
judged: what a token says is looked at where it is presented.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature

from keywright.licensing.keys.ring import LicenseKey

LICENSE = "license+jwt"
REVOCATIONS = "revocations+jwt"
VALIDATION = "validation+jwt"
VERSION = 1


def sign(claims: Mapping[str, object], key: LicenseKey, *, typ: str = LICENSE) -> str:
    """Return the compact JWS of the claims."""
    return sign_payload(canonical(claims), key, typ=typ)


def sign_payload(payload: bytes, key: LicenseKey, *, typ: str = LICENSE) -> str:
    """Return the compact JWS of a payload that is canonical JSON."""
    assert key.signer is not None
    message = _message(payload, kid=key.kid, typ=typ)
    return f"{message.decode()}.{_wrapped(key.signer.sign(message)).decode()}"


def canonical(value: Mapping[str, object]) -> bytes:
    """Return JSON in its one spelling."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token of ours says, unverified."""
    found: dict[str, Any] = json.loads(_unwrapped(token.split(".")[1]))
    return found


def is_signed_by(token: str, key: LicenseKey) -> bool:
    """Tell whether the key signed exactly these bytes."""
    message, _, signature = token.rpartition(".")
    try:
        key.public.verify(_unwrapped(signature), message.encode())
    except (ValueError, InvalidSignature):
        return False
    return _wrapped(_unwrapped(signature)).decode() == signature


def message_of(token: str, *, kid: str) -> str:
    """Return what the key of this id would sign to say what a license says."""
    return _message(_unwrapped(token.split(".")[1]), kid=kid, typ=LICENSE).decode()


def _message(payload: bytes, *, kid: str, typ: str) -> bytes:
    header = canonical({"alg": "EdDSA", "kid": kid, "typ": typ, "v": VERSION})
    return _wrapped(header) + b"." + _wrapped(payload)


def _wrapped(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def _unwrapped(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
