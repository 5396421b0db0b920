"""The signing keys of this machine, made once and kept: tokens and licenses of an earlier run still verify."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from infra.local.state import write_private
from infra.manifest import Secret

RSA_BITS = 3072


def load_or_make(path: Path) -> dict[Secret, dict[str, Any]]:
    """
    Read the keys, and make those that are not there. Each secret has the shape ``{keys: [{kid, …}]}``.
    """
    kept = json.loads(path.read_text()) if path.exists() else {}
    missing = {secret: make for secret, make in _MAKERS.items() if secret not in kept}
    if missing:
        kept |= {str(secret): make() for secret, make in missing.items()}
        write_private(path, json.dumps(kept))
    return {Secret(name): value for name, value in kept.items()}


def secret_of(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> dict[str, Any]:
    """
    Shape a private key as a secret; its id is a digest of the public half.
    """
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"keys": [{"kid": hashlib.sha256(public).hexdigest()[:16], "private_pem": private.decode()}]}


def symmetric_secret() -> dict[str, Any]:
    """
    Make a secret of one random key that is shared with nobody.
    """
    key = secrets.token_bytes(32)
    kid = hashlib.sha256(b"keywright audit" + key).hexdigest()[:16]
    return {"keys": [{"kid": kid, "key": base64.b64encode(key).decode()}]}


_MAKERS = {
    Secret.ACCESS_TOKEN_KEYS: lambda: secret_of(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)),
    Secret.LICENSE_KEYS: lambda: secret_of(ed25519.Ed25519PrivateKey.generate()),
    Secret.AUDIT_KEYS: symmetric_secret,
}
