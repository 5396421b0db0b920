"""The license keys, from Secrets Manager and AWS KMS, and the event bus. Call it outside a transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_private_key, load_pem_public_key

from keywright.licensing.keys.ring import KeyRing, LicenseKey, LocalSigner, Signer, ring
from keywright.platform import secrets
from keywright.platform.config import setting
from keywright.platform.errors import SettingMissing
from keywright_verify import CachingVerifier, KeySet

SECRET = "LICENSE_KEYS"
_KMS_ALGORITHM = "ED25519_SHA_512"
_KMS_SPEC = "ECC_NIST_EDWARDS25519"


@dataclass(frozen=True)
class KmsSigner:
    """A private key that never leaves AWS KMS."""

    key_id: str
    client: Any
    remote: bool = True

    def sign(self, message: bytes) -> bytes:
        """Have KMS sign the message itself, not a digest of it: that is what Ed25519 is."""
        answer = self.client.sign(
            KeyId=self.key_id, Message=message, MessageType="RAW", SigningAlgorithm=_KMS_ALGORITHM
        )
        signature: bytes = answer["Signature"]
        return signature

    def public(self) -> Ed25519PublicKey:
        """
        Return the public half.

        :raises SettingMissing: if the key is none for Ed25519
        """
        answer = self.client.get_public_key(KeyId=self.key_id)
        if answer["KeySpec"] != _KMS_SPEC:
            raise SettingMissing(f"The KMS key {self.key_id} is a {answer['KeySpec']}, not an {_KMS_SPEC}.")
        return _ed25519(load_der_public_key(answer["PublicKey"]), self.key_id)


def key_ring() -> KeyRing:
    """
    Return every license key.

    :raises SettingMissing: if there is none, or one is not an Ed25519 key
    """
    entries = key_entries()
    if not entries:
        raise SettingMissing("The secret LICENSE_KEYS holds no key.")
    return ring(*(_parsed(json.dumps(entry, sort_keys=True)) for entry in entries))


def license_verifier() -> CachingVerifier:
    """
    Return the verifier of the tokens that we signed; it remembers those that it found authentic.

    :raises SettingMissing: if there is no license key
    """
    return _verifier(json.dumps([key.jwk() for key in key_ring().keys], sort_keys=True))


def key_entries() -> list[dict[str, Any]]:
    """Return the keys as the secret holds them."""
    return list(secrets.read("LICENSE_KEYS").get("keys", ()))


def store_key_entries(entries: list[dict[str, Any]]) -> None:
    """Put another set of keys into the secret. What others keep of it is at most a minute old."""
    value = {**secrets.read("LICENSE_KEYS"), "keys": entries}
    _client("secretsmanager").put_secret_value(SecretId=setting("LICENSE_KEYS_SECRET"), SecretString=json.dumps(value))
    secrets.forget()


def publish(event: str, detail: str, *, bus: str) -> None:
    """
    Put ``license.issued`` and the like on the EventBridge bus, for the vendor's own systems.

    :raises RuntimeError: if the bus refused it
    """
    entry = {"EventBusName": bus, "Source": "keywright", "DetailType": event, "Detail": detail}
    answer = _client("events").put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"EventBridge refused {event}: {answer['Entries'][0].get('ErrorCode')}")


@lru_cache
def _client(service: str) -> Any:
    import boto3  # noqa: PLC0415  (lazy: only those who publish, rotate or sign by KMS need it)

    return boto3.client(service)


@lru_cache(maxsize=64)
def _parsed(text: str) -> LicenseKey:
    entry: Mapping[str, Any] = json.loads(text)
    kid = str(entry["kid"])
    signer: Signer | None = None
    if "private_pem" in entry:
        private = load_pem_private_key(entry["private_pem"].encode(), password=None)
        if not isinstance(private, Ed25519PrivateKey):
            raise SettingMissing(f"The license key {kid} is not an Ed25519 key.")
        signer, public = LocalSigner(private), private.public_key()
    elif "kms_key_id" in entry:
        remote = KmsSigner(str(entry["kms_key_id"]), _client("kms"))
        signer, public = remote, remote.public()
    else:
        public = _ed25519(load_pem_public_key(entry["public_pem"].encode()), kid)
    return LicenseKey(kid, public, signer, _moment(entry, "not_before"), _moment(entry, "retire_at"))


def _ed25519(public: object, name: str) -> Ed25519PublicKey:
    if not isinstance(public, Ed25519PublicKey):
        raise SettingMissing(f"The license key {name} is not an Ed25519 key.")
    return public


def _moment(entry: Mapping[str, Any], name: str) -> datetime | None:
    if entry.get(name) is None:
        return None
    moment = datetime.fromisoformat(entry[name])
    if moment.tzinfo is None:
        raise SettingMissing(f"The license key {entry['kid']} has a {name} without a time zone.")
    return moment


@lru_cache(maxsize=4)
def _verifier(keys: str) -> CachingVerifier:
    return CachingVerifier(KeySet.from_jwks({"keys": json.loads(keys)}), size=1024)
