"""
The public keys that a product trusts: read once from a JWKS document, then fixed.

Keys come from here alone, never from a license; a key that a license brought along would prove nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from keywright_verify.encoding import decode_base64url

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PUBLIC_KEY_BYTES = 32
_FIELD = 2**255 - 19
_Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
# The points of order 1, 2, 4 and 8, by their y: whoever "holds" such a key can sign anything.
_SMALL_ORDER_Y = frozenset({0, 1, _FIELD - 1, _Y_OF_ORDER_8, _FIELD - _Y_OF_ORDER_8})


class KeySetInvalidError(ValueError):
    """
    The key document is not one that a product may trust.
    """


@dataclass(frozen=True, slots=True)
class Key:
    """
    One public key; it signs licenses issued in ``[not_before, retired_at)``.
    """

    kid: str
    public: Ed25519PublicKey
    not_before: int | None = None
    retired_at: int | None = None

    def signed(self, signature: bytes, message: bytes) -> bool:
        """
        Tell whether this key made the signature. OpenSSL refuses a second spelling of it (S + L).
        """
        try:
            self.public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def was_in_use(self, at: int) -> bool:
        """
        Tell whether the key could sign a license at this time.
        """
        return (self.not_before is None or at >= self.not_before) and (self.retired_at is None or at < self.retired_at)


class KeySet:
    """
    The trusted keys by their id.
    """

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys: dict[str, Key] = {}
        for key in keys:
            if key.kid in self._keys:
                raise KeySetInvalidError(f"Two keys are called {key.kid!r}.")
            self._keys[key.kid] = key
        if not self._keys:
            raise KeySetInvalidError("There is no Ed25519 key in the key set.")

    def find(self, kid: str) -> Key | None:
        """
        Give the key, or nothing when it is not trusted.
        """
        return self._keys.get(kid)

    @classmethod
    def from_jwks(cls, document: str | bytes | dict[str, object]) -> KeySet:
        """
        Read a JWKS document; keys of other types are passed over.

        :raises KeySetInvalidError: if the document is broken, or carries a private key
        """
        try:
            parsed = document if isinstance(document, dict) else json.loads(document)
        except (ValueError, RecursionError) as error:
            raise KeySetInvalidError("The key set is not JSON.") from error
        entries = parsed.get("keys") if isinstance(parsed, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise KeySetInvalidError('The key set is not {"keys": […]}.')
        return cls(_key(entry) for entry in entries if (entry.get("kty"), entry.get("crv")) == ("OKP", "Ed25519"))

    @classmethod
    def from_file(cls, path: str | Path) -> KeySet:
        """
        Read a JWKS file.

        :raises OSError: if the file cannot be read
        :raises KeySetInvalidError: as ``from_jwks``
        """
        return cls.from_jwks(Path(path).read_bytes())


def _key(entry: dict[str, object]) -> Key:
    kid = entry.get("kid")
    if not isinstance(kid, str) or KEY_ID.fullmatch(kid) is None:
        raise KeySetInvalidError("A key has no usable id.")
    if "d" in entry:
        raise KeySetInvalidError(f"Key {kid} is a private key: it must never leave the issuer.")
    if entry.get("alg", "EdDSA") != "EdDSA" or entry.get("use", "sig") != "sig":
        raise KeySetInvalidError(f"Key {kid} is not for EdDSA signatures.")
    return Key(kid, _public_key(kid, entry.get("x")), _time(kid, entry, "nbf"), _time(kid, entry, "exp"))


def _public_key(kid: str, x: object) -> Ed25519PublicKey:
    try:
        return public_key(x)
    except ValueError as error:
        raise KeySetInvalidError(f"Key {kid} is {error}.") from error


def public_key(x: object) -> Ed25519PublicKey:
    """
    Read an Ed25519 key from the ``x`` of its JSON Web Key.

    :raises ValueError: if it is none that could prove anything
    """
    raw = decode_base64url(x.encode()) if isinstance(x, str) else b""
    if len(raw) != _PUBLIC_KEY_BYTES:
        raise ValueError(f"not {_PUBLIC_KEY_BYTES} bytes long")
    y = int.from_bytes(raw, "little") & (2**255 - 1)
    if y % _FIELD in _SMALL_ORDER_Y:
        raise ValueError("a point of small order")
    return Ed25519PublicKey.from_public_bytes(raw)


def _time(kid: str, entry: dict[str, object], member: str) -> int | None:
    value = entry.get(member)
    if value is not None and type(value) is not int:
        raise KeySetInvalidError(f"{member} of key {kid} is not a whole number.")
    return value if type(value) is int else None
