"""The license keys, from Secrets Manager, and the event bus. Call it outside a transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from keywright.licensing import tokens
from keywright.licensing.models import SigningKey
from keywright.platform import secrets
from keywright.platform.errors import SettingMissing
from keywright_verify import CachingVerifier, KeySet


def license_keys() -> tuple[SigningKey, ...]:
    """
    Return every license key; the first one signs.

    :raises SettingMissing: if there is none, or one is not an Ed25519 key
    """
    entries = tuple((entry["kid"], entry["private_pem"]) for entry in secrets.read("LICENSE_KEYS").get("keys", ()))
    if not entries:
        raise SettingMissing("The secret LICENSE_KEYS holds no key.")
    return tuple(_parsed(kid, pem) for kid, pem in entries)


def license_verifier() -> CachingVerifier:
    """
    Return the verifier of the tokens that we signed; it remembers those that it found authentic.

    :raises SettingMissing: if there is no license key
    """
    return _verifier(license_keys())


def publish(event: str, facts: Mapping[str, str], *, bus: str) -> None:
    """
    Put ``license.issued`` and the like on the EventBridge bus, for the vendor's own systems.

    :raises RuntimeError: if the bus refused it
    """
    entry = {
        "EventBusName": bus,
        "Source": "keywright",
        "DetailType": event,
        "Detail": json.dumps(facts, sort_keys=True),
    }
    answer = _events().put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"EventBridge refused {event}: {answer['Entries'][0].get('ErrorCode')}")


@lru_cache
def _events() -> Any:
    import boto3  # noqa: PLC0415  (lazy: only the job worker publishes)

    return boto3.client("events")


@lru_cache(maxsize=4)
def _verifier(keys: tuple[SigningKey, ...]) -> CachingVerifier:
    return CachingVerifier(KeySet.from_jwks({"keys": [tokens.public_jwk(key) for key in keys]}), size=1024)


@lru_cache(maxsize=16)
def _parsed(kid: str, pem: str) -> SigningKey:
    private = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise SettingMissing(f"The license key {kid} is not an Ed25519 key.")
    return SigningKey(kid, private)
