"""
Keyed digests and seals for what is kept only to be compared or given back: an answer, the trace of a body.

A body may hold a password and an answer may hold what only its caller should see. A quick digest of the one could be
tried against every common password by whoever holds the table, and the other could be read; under a key that is not
in the table, neither says anything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_NONCE_BYTES = 12
_KEY_BYTES = 32


class Seals:
    """The first key seals; all open, so that a key can be replaced. A key has at least 32 random bytes."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._digest_keys = [_derive(key, b"keywright digest") for key in keys]
        self._ciphers = [AESGCM(_derive(key, b"keywright seal")) for key in keys]

    def digest(self, text: str) -> str:
        """Return 64 characters that tell two texts apart, to the holder of the key."""
        return _digest(text, self._digest_keys[0])

    def matches(self, text: str, digest: str) -> bool:
        """Tell whether the digest is that of the text, under any of the keys."""
        return any(hmac.compare_digest(_digest(text, key), digest) for key in self._digest_keys)

    def seal(self, text: str, *, place: bytes) -> str:
        """Return the text, readable with the key and only in the row that it was sealed for."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._ciphers[0].encrypt(nonce, text.encode(), place)).decode()

    def unseal(self, sealed: str, *, place: bytes) -> str | None:
        """Return the text; None if no key opens the seal."""
        try:
            data = base64.b64decode(sealed, validate=True)
        except binascii.Error:
            return None
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place).decode()
            except (InvalidTag, ValueError):
                continue
        return None


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=_KEY_BYTES, info=purpose).derive(key)


def _digest(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
