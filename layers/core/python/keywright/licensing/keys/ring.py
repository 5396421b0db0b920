"""
The license keys: which one signs what, and which are published. Pure.

A key signs what was caused in its period, not what is signed in it: so the same cause is signed by the same key
whenever it is folded, and a verifier that knows a key's period accepts it.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keywright.platform.clock import to_unix
from keywright.platform.errors import SettingMissing

_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Signer(Protocol):
    """What can sign with Ed25519. A ``remote`` one is asked over the network, so never inside a transaction."""

    @property
    def remote(self) -> bool:
        """Tell whether a signature needs the network."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature."""


@dataclass(frozen=True)
class LocalSigner:
    """A private key in our own memory."""

    private: Ed25519PrivateKey
    remote: bool = False

    def sign(self, message: bytes) -> bytes:
        """Return the signature."""
        return self.private.sign(message)


_FRACTION = timedelta(seconds=1) - timedelta(microseconds=1)


@dataclass(frozen=True)
class LicenseKey:
    """
    A key as verifiers know it, and its signer; None once the private half was destroyed.

    It signs what is caused from ``not_before`` (None: from the beginning) until ``retire_at`` (None: its end is open).
    """

    kid: str
    public: Ed25519PublicKey
    signer: Signer | None = None
    not_before: datetime | None = None
    retire_at: datetime | None = None

    def jwk(self) -> dict[str, str | int]:
        """Return the public half as a JSON Web Key (RFC 8037), with its period of use."""
        raw = self.public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = urlsafe_b64encode(raw).rstrip(b"=").decode()
        key: dict[str, str | int] = {
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": self.kid,
            "x": x,
        }
        if self.not_before is not None:
            key["nbf"] = to_unix(self.not_before)
        if self.retire_at is not None:
            # Files are dated by the whole second: the last one of this key may be of the second in which it ends.
            key["exp"] = to_unix(self.retire_at + _FRACTION)
        return key


def local_key(kid: str, private: Ed25519PrivateKey, **period: datetime | None) -> LicenseKey:
    """Return a key whose private half is in our memory."""
    return LicenseKey(kid, private.public_key(), LocalSigner(private), **period)


@dataclass(frozen=True)
class KeyRing:
    """Every key that is published, whether it signs already, still, or no more."""

    keys: tuple[LicenseKey, ...]

    def signing_at(self, moment: datetime) -> LicenseKey:
        """
        Return the key that signs what was caused at this moment: the youngest whose time had come.

        What is older than every key that can sign is signed by the oldest of them.

        :raises SettingMissing: if no key can sign
        """
        able = [key for key in self.keys if key.signer is not None]
        if not able:
            raise SettingMissing("No license key has a private half.")
        begun = [key for key in able if _begin(key) <= moment]
        return max(begun, key=_begin) if begun else min(able, key=_begin)

    def find(self, kid: str) -> LicenseKey | None:
        """Return the key of this id, or None."""
        return next((key for key in self.keys if key.kid == kid), None)


def ring(*keys: LicenseKey) -> KeyRing:
    """Return a key ring."""
    return KeyRing(_checked(keys))


def _checked(keys: Sequence[LicenseKey]) -> tuple[LicenseKey, ...]:
    if len({key.kid for key in keys}) != len(keys):
        raise SettingMissing("Two license keys have the same id.")
    return tuple(keys)


def _begin(key: LicenseKey) -> datetime:
    return key.not_before or _BEGINNING
