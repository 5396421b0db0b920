"""What requests aim at: the rows of the caller's customer, those of the other one, and those that are not there."""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keywright_verify.challenge import new_challenge

CANARY = "canary-of-the-victim"
TARGETS = ("own", "foreign", "absent")
CHALLENGE = new_challenge(Ed25519PrivateKey.generate(), fingerprint="fp1_of_the_machine")


def sid(kind: str, target: str) -> str:
    """Name a row of the world: ``dom_own``, ``dom_foreign``, and ``dom_absent``, which is not there."""
    return f"{kind}_{target}"


def license_file(target: str) -> str:
    """Return the license file of a row of the world; nobody has really signed it."""
    claims = {
        "lid": sid("lic", target),
        "seq": 1,
        "nbf": 1_780_000_000,
        "exp": 1_900_000_000,
        "grace_until": 1_900_000_000,
        "enforcement": "grace",
        "limits": {},
        "customer": CANARY if target == "foreign" else target,
    }
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({}, claims)]
    return ".".join([*parts, CANARY if target == "foreign" else target])


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
