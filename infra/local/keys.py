"""The signing keys of this machine, made once and kept: tokens and licenses of an earlier run still verify."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from infra.local.state import write_private
from infra.manifest import Secret

RSA_BITS = 3072


def load_or_make(path: Path) -> dict[Secret, dict[str, Any]]:
    """
    Read the keys, or make them. Both secrets have the shape ``{keys: [{kid, private_pem}]}``.
    """
    if not path.exists():
        made = {
            Secret.ACCESS_TOKEN_KEYS: secret_of(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)),
            Secret.LICENSE_KEYS: secret_of(ed25519.Ed25519PrivateKey.generate()),
        }
        write_private(path, json.dumps(made))
    return {Secret(name): value for name, value in json.loads(path.read_text()).items()}


def secret_of(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> dict[str, Any]:
    """
    Shape a private key as a secret; its id is a digest of the public half.
    """
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"keys": [{"kid": hashlib.sha256(public).hexdigest()[:16], "private_pem": private.decode()}]}
