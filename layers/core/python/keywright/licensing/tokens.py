"""
The signed form of a license: an Ed25519 compact JWS over canonical JSON (docs/license-format.md).

Ed25519 signatures are deterministic and the JSON is canonical, so the same claims give the same bytes.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.api_jws import PyJWS

from keywright.licensing.models import SigningKey

TYPE = "license+jwt"
VERSION = 1

_jws = PyJWS(algorithms=["EdDSA"])


def sign(claims: Mapping[str, object], key: SigningKey) -> str:
    """Return the compact JWS of the claims."""
    payload = json.dumps(claims, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    header = {"kid": key.kid, "typ": TYPE, "v": VERSION}
    return _jws.encode(payload, key.private, algorithm="EdDSA", headers=header, sort_headers=True)


def public_jwk(key: SigningKey) -> dict[str, str]:
    """Return the public half as a JSON Web Key (RFC 8037)."""
    raw = key.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": x}
