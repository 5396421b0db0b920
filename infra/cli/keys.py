"""
``keywright keys rotate``: another key for the access tokens, without a request that fails. ``keys replace``: at once.

The new key is published at once and signs from a while later on, when every container and every keeper of our key set
knows it. The old one goes on verifying until the last token that it signed has expired; the next rotation drops it.
A key that was stolen is replaced instead: within a minute nobody believes it any more, nor the tokens that it signed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import boto3
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from infra.cli import license_keys
from keywright.platform import clock, config, secrets

SECRET = "ACCESS_TOKEN_KEYS"
# Secrets are kept for a minute, and key sets for five.
_PUBLISHED_BEFORE = timedelta(minutes=15)
_KEPT_AFTER = timedelta(hours=1)
_BITS = 3072


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands of this area."""
    commands = parser.add_subparsers(required=True, metavar="command")
    rotate = commands.add_parser("rotate", help="add a key for access tokens, which signs from a quarter of an hour on")
    rotate.set_defaults(run=_rotate)
    replace = commands.add_parser(
        "replace", help="put one new key for access tokens in the place of all, if one leaked"
    )
    replace.set_defaults(run=_replace)
    license_keys.add_commands(commands)


def _rotate(_arguments: argparse.Namespace) -> None:
    now = clock.now()
    _store(rotated(secrets.read(SECRET)["keys"], new_key(signs_from=now + _PUBLISHED_BEFORE), now=now))


def _replace(_arguments: argparse.Namespace) -> None:
    _store([new_key(signs_from=clock.now())])


def _store(keys: list[dict[str, Any]]) -> None:
    boto3.client("secretsmanager").put_secret_value(
        SecretId=config.setting(f"{SECRET}_SECRET"), SecretString=json.dumps({"keys": keys})
    )
    secrets.forget()
    for key in keys:
        print(f"key {key['kid']}: signs from {key.get('signs_from', 'the beginning')}")


def new_key(*, signs_from: datetime) -> dict[str, Any]:
    """Make a key; its id is a digest of the public half."""
    key = generate_private_key(public_exponent=65537, key_size=_BITS)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "kid": hashlib.sha256(public).hexdigest()[:16],
        "private_pem": private.decode(),
        "signs_from": signs_from.isoformat(),
    }


def rotated(keys: list[dict[str, Any]], new: dict[str, Any], *, now: datetime) -> list[dict[str, Any]]:
    """Return the keys with the new one, without those that another replaced more than an hour ago."""
    begun = [datetime.fromisoformat(key["signs_from"]) for key in keys if "signs_from" in key]
    replaced_at = max((begin for begin in begun if begin + _KEPT_AFTER <= now), default=None)
    return [new, *(key for key in keys if replaced_at is None or _begin(key) >= replaced_at)]


def _begin(key: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(key.get("signs_from", "0001-01-01T00:00:00+00:00"))
