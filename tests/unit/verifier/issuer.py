"""
An issuer of licenses that shares no code with the verifier, so that both cannot have one mistake in common.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = 1_800_000_000
DAY = 86_400
DOMAIN = "shop.example.com"
NONCE = "n" * 32
HEADER = {"alg": "EdDSA", "kid": "k_2027", "typ": "license+jwt", "v": 1}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().replace("=", "")


def dump(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class SigningKey:
    kid: str

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.kid.encode()).digest())

    @property
    def public_bytes(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def jwk(self, **more: object) -> dict[str, Any]:
        named = {"kid": self.kid, "use": "sig", "alg": "EdDSA"}
        return {"kty": "OKP", "crv": "Ed25519", "x": b64(self.public_bytes), **named, **more}


KEY = SigningKey("k_2027")
RETIRED = SigningKey("k_2025")
FOREIGN = SigningKey("k_foreign")
JWKS: dict[str, Any] = {"keys": [KEY.jwk(), RETIRED.jwk(nbf=NOW - 800 * DAY, exp=NOW - 400 * DAY)]}


def claims(**changes: object) -> dict[str, Any]:
    """Give the claims of a valid license; a change to ``...`` leaves the claim out."""
    document: dict[str, Any] = {
        "iss": "https://licenses.example.com",
        "aud": "orbit",
        "sub": "cus_0192",
        "lid": "lic_0192",
        "seq": 3,
        "domain": DOMAIN,
        "product_family": "orbit",
        "product": "prod_Q1",
        "plan": "Orbit für Teams \U0001d54f",
        "kind": "UNLIMITED",
        "entitlements": {"sso": True, "nodes": 5, "tier": "gold", "\ue000": "private", "\U0001d54f": False},
        "limits": {"seats": 20},
        "iat": NOW - DAY,
        "nbf": NOW - DAY,
        "exp": NOW + 30 * DAY,
        "grace_until": NOW + 37 * DAY,
        "enforcement": "hard",
        "rev_epoch_min": 0,
        "cause": {"event_id": "evt_1", "invoice_id": "in_1"},
    }
    document |= changes
    return {name: value for name, value in document.items() if value is not ...}


def seal(header: bytes, payload: bytes, key: SigningKey = KEY) -> str:
    message = f"{b64(header)}.{b64(payload)}"
    return f"{message}.{b64(key.private.sign(message.encode()))}"


def issue(**changes: object) -> str:
    return seal(dump(HEADER), dump(claims(**changes)))


def issue_with_header(key: SigningKey = KEY, **changes: object) -> str:
    header = {name: value for name, value in (HEADER | changes).items() if value is not ...}
    return seal(dump(header), dump(claims()), key)


def issue_revocations(key: SigningKey = KEY, **changes: object) -> str:
    document = {"epoch": 7, "iat": NOW - DAY, "next_update": NOW + 7 * DAY, "min_seq": {}, "revoked": []}
    document |= {"prev_hash": b64(hashlib.sha256(b"the list before").digest())} | changes
    present = {name: value for name, value in document.items() if value is not ...}
    return seal(dump(HEADER | {"typ": "revocations+jwt"}), dump(present), key)


def revocation(lid: str, reason: str = "FRAUD", at: int = NOW - 2 * DAY) -> dict[str, object]:
    return {"lid": lid, "reason": reason, "at": at}


def issue_answer(key: SigningKey = KEY, **changes: object) -> str:
    document: dict[str, object] = {"nonce": NONCE, "lid": "lic_0192", "seq": 3, "code": "VALID", "valid": True}
    document |= {"iat": NOW, "exp": NOW + DAY} | changes
    present = {name: value for name, value in document.items() if value is not ...}
    return seal(dump(HEADER | {"typ": "validation+jwt"}), dump(present), key)
