"""
The child of a refresh token, sealed under a key that only the parent token gives.

A client that lost the answer to a refresh presents the same token again and must get the same child. We keep no token
that could be read from the table, so the child is encrypted with AES-GCM under HKDF(parent): whoever holds the table
holds nothing, and whoever holds the parent could have refreshed anyway.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keywright.identity import opaque_tokens

_NONCE_BYTES = 12
_PURPOSE = b"keywright refresh child"


def seal(child: str, *, parent: str) -> bytes:
    """Return the child token, readable with its parent only."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(parent).encrypt(nonce, child.encode(), opaque_tokens.digest(parent))


def unseal(sealed: bytes, *, parent: str) -> str | None:
    """Return the child token; None if this is not its parent or the seal is broken."""
    nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return _cipher(parent).decrypt(nonce, body, opaque_tokens.digest(parent)).decode()
    except (InvalidTag, ValueError):
        return None


def _cipher(parent: str) -> AESGCM:
    # The parent has 384 random bits, so HKDF needs no salt to make a good key of it.
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(parent.encode()))
