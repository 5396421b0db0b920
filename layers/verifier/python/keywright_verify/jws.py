"""
Opens a compact JWS: pins its shape, algorithm, type, version and key, and checks the signature. And writes one.

It never looks at what a payload says; only signed bytes leave it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keywright_verify.codes import Code, Refused
from keywright_verify.encoding import canonical_json, decode_base64url, encode_base64url, parse_canonical_object
from keywright_verify.keys import KEY_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from keywright_verify.keys import Key, KeySet

MAX_TOKEN_BYTES = 16 * 1024
VERSION = 1
_ALGORITHM = "EdDSA"
_SIGNATURE_BYTES = 64
_HEADER_MEMBERS = {"alg", "kid", "typ", "v"}
_SHAPE = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Signed:
    """
    A payload whose signature is good, and the key that made it.
    """

    payload: bytes
    key: Key


def open_signed(token: object, keys: KeySet, *, typ: str, limit: int = MAX_TOKEN_BYTES) -> Signed:
    """
    Check everything about a token except what its payload says.

    :raises Refused: with the first code that applies
    """
    header_text, payload_text, signature_text = _parts(token_bytes(token, limit=limit))
    try:
        header = parse_canonical_object(decode_base64url(header_text))
        payload = decode_base64url(payload_text)
        signature = decode_base64url(signature_text)
    except ValueError as error:
        raise Refused(Code.MALFORMED, str(error)) from error
    kid = _pinned_key_id(header, typ=typ)
    if len(signature) != _SIGNATURE_BYTES:
        raise Refused(Code.MALFORMED, f"the signature is not {_SIGNATURE_BYTES} bytes long")
    key = keys.find(kid)
    if key is None:
        raise Refused(Code.KEY_UNKNOWN, f"key {kid} is not in the key set")
    if not key.signed(signature, header_text + b"." + payload_text):
        raise Refused(Code.SIGNATURE_INVALID, f"the signature is not of key {kid}")
    return Signed(payload, key)


def token_bytes(token: object, *, limit: int = MAX_TOKEN_BYTES) -> bytes:
    """
    Give the token's bytes.

    :raises Refused: if it is not a token, or too long to be looked at
    """
    # Measured before it is encoded, so that a huge text costs nothing.
    if not isinstance(token, (str, bytes)) or len(token) > limit:
        raise Refused(Code.MALFORMED, f"not a token of at most {limit} bytes")
    if isinstance(token, bytes):
        return token
    if not token.isascii():
        raise Refused(Code.MALFORMED, "not ASCII")
    return token.encode("ascii")


def read_token_file(path: str | Path, *, limit: int = MAX_TOKEN_BYTES) -> bytes:
    """
    Read a token from a file, without the line ends that editors add.

    :raises OSError: if the file cannot be read
    """
    with Path(path).open("rb") as file:
        # One byte more than allowed, behind a line end, shows that it is too long.
        return file.read(limit + 3).rstrip(b"\r\n")


def sign(claims: Mapping[str, object], *, typ: str, kid: str, key: Ed25519PrivateKey) -> str:
    """
    Write a token in its one spelling: the same claims and key give the same bytes.
    """
    header = canonical_json({"alg": _ALGORITHM, "kid": kid, "typ": typ, "v": VERSION})
    message = encode_base64url(header) + b"." + encode_base64url(canonical_json(dict(claims)))
    return (message + b"." + encode_base64url(key.sign(message))).decode()


def _parts(raw: bytes) -> tuple[bytes, bytes, bytes]:
    if _SHAPE.fullmatch(raw) is None:
        raise Refused(Code.MALFORMED, "not three base64url parts")
    header, payload, signature = raw.split(b".")
    return header, payload, signature


def _pinned_key_id(header: dict[str, object], *, typ: str) -> str:
    if header.get("alg") != _ALGORITHM:
        raise Refused(Code.ALGORITHM_REFUSED, f"the algorithm is not {_ALGORITHM}")
    if header.get("typ") != typ:
        raise Refused(Code.MALFORMED, f"the type is not {typ}")
    version = header.get("v")
    if type(version) is not int:
        raise Refused(Code.MALFORMED, "there is no version")
    if version != VERSION:
        raise Refused(Code.VERSION_UNSUPPORTED, f"version {version} is not {VERSION}")
    # Members such as jwk, jku, x5u and crit would ask the verifier to trust or do what the token says.
    if header.keys() != _HEADER_MEMBERS:
        raise Refused(Code.MALFORMED, "the header has other members than alg, kid, typ and v")
    kid = header["kid"]
    if not isinstance(kid, str) or KEY_ID.fullmatch(kid) is None:
        raise Refused(Code.MALFORMED, "the key id is not one")
    return kid
