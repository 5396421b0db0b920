"""
The key of one machine: it proves challenges and signs usage exports.

The private half never leaves the machine; it proves where a file comes from, not that its owner is honest.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from keywright_verify.encoding import canonical_json, encode_base64url, sha256_text
from keywright_verify.keys import public_key as key_of


class MachineKeyInvalidError(ValueError):
    """
    The key is not an Ed25519 key as it should be.
    """


class PublicJwk(TypedDict):
    """
    The public half as a JSON Web Key (RFC 8037), with the members that identify it and no other.
    """

    crv: str
    kty: str
    x: str


def public_jwk(key: Ed25519PublicKey) -> PublicJwk:
    """Write the public half."""
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"crv": "Ed25519", "kty": "OKP", "x": encode_base64url(raw).decode()}


def public_key(jwk: object) -> Ed25519PublicKey:
    """
    Read the public half.

    :raises MachineKeyInvalidError: if it is anything but the three members of an Ed25519 key
    """
    if not isinstance(jwk, dict) or jwk.keys() != {"crv", "kty", "x"}:
        raise MachineKeyInvalidError("The key has other members than crv, kty and x.")
    if (jwk["kty"], jwk["crv"]) != ("OKP", "Ed25519") or not isinstance(jwk["x"], str):
        raise MachineKeyInvalidError("The key is not an Ed25519 key.")
    try:
        return key_of(jwk["x"])
    except ValueError as error:
        raise MachineKeyInvalidError(f"The key is {error}.") from error


def is_public_jwk(value: object) -> bool:
    """Tell whether the value is a key that could prove something."""
    try:
        public_key(value)
    except MachineKeyInvalidError:
        return False
    return True


def key_id(key: Ed25519PublicKey) -> str:
    """
    Give the key's thumbprint (RFC 7638), which names it in what it signs.
    """
    return sha256_text(canonical_json(public_jwk(key)))


def load_or_create_key(path: str | Path) -> Ed25519PrivateKey:
    """
    Read the machine's key, or make one that only the owner of the file may read.

    :raises OSError: if the file cannot be read or written
    :raises MachineKeyInvalidError: if the file holds something else
    """
    try:
        return load_key(path)
    except FileNotFoundError:
        key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Written aside and linked in one step: another process sees a whole key or none, and the first one stays.
    draft = Path(path).with_name(f".{Path(path).name}.{os.urandom(8).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return load_key(path)
    finally:
        draft.unlink(missing_ok=True)
    return key


def load_key(path: str | Path) -> Ed25519PrivateKey:
    """
    Read the machine's key from its PEM file.

    :raises OSError: if the file cannot be read
    :raises MachineKeyInvalidError: if the file holds something else
    """
    try:
        key = load_pem_private_key(Path(path).read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise MachineKeyInvalidError(f"{path} is not a private key in PEM.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise MachineKeyInvalidError(f"{path} is not an Ed25519 key.")
    return key
