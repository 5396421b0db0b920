"""
The challenge: what a machine without a network asks a license with (docs/challenge-format.md).

It holds a hash of what identifies the machine, never the identity itself, and the public half of the machine's key.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature

from keywright_verify import claims as rules
from keywright_verify.encoding import canonical_json, decode_base64url, parse_canonical_object
from keywright_verify.machine import PublicJwk, is_public_jwk, public_jwk, public_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

VERSION = 1
MAX_BYTES = 4096
_PROOF_CONTEXT = b"keywright-challenge.v1."
_FINGERPRINT_CONTEXT = b"keywright-fingerprint.v1."
_RULES: dict[str, rules.Rule] = {
    "v": lambda value: type(value) is int and value == VERSION,
    "nonce": rules.is_nonce,
    "usage_key": is_public_jwk,
    "proof": rules.is_name,
}
_PLACE: dict[str, rules.Rule] = {"domain": rules.is_host_name, "fingerprint": rules.is_name}


class ChallengeInvalidError(ValueError):
    """
    The text is not a challenge, or was altered on the way.
    """


@dataclass(frozen=True, slots=True)
class Challenge:
    """
    A machine's wish for a license: a domain or a fingerprint or both, and its key.
    """

    nonce: str
    usage_key: PublicJwk
    domain: str | None = None
    fingerprint: str | None = None


def fingerprint(identity: Mapping[str, str]) -> str:
    """
    Hash what identifies a machine, such as ``{"machine-id": …}``. Which facts those are is the product's to choose.

    :raises ValueError: if there is no fact, or one is empty
    """
    if not identity or not all(identity.values()):
        raise ValueError("A fingerprint needs facts, and none of them empty.")
    digest = sha256(_FINGERPRINT_CONTEXT + canonical_json(dict(identity))).digest()
    return f"fp1_{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def new_challenge(
    key: Ed25519PrivateKey, *, domain: str | None = None, fingerprint: str | None = None, nonce: str | None = None
) -> str:
    """
    Write a challenge, proven with the machine's key.

    :raises ChallengeInvalidError: if there is neither a domain nor a fingerprint, or one is not allowed
    """
    document: dict[str, object] = {
        "v": VERSION,
        "nonce": nonce or secrets.token_urlsafe(24),
        "usage_key": public_jwk(key.public_key()),
    }
    place = {"domain": domain, "fingerprint": fingerprint}
    document |= {name: value for name, value in place.items() if value is not None}
    proof = key.sign(_PROOF_CONTEXT + canonical_json(document))
    text = canonical_json(document | {"proof": urlsafe_b64encode(proof).rstrip(b"=").decode()}).decode()
    read_challenge(text)
    return text


def read_challenge(text: str | bytes) -> Challenge:
    """
    Read a challenge and check that its sender holds the key in it.

    :raises ChallengeInvalidError: with the reason
    """
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) > MAX_BYTES:
        raise ChallengeInvalidError(f"It is longer than {MAX_BYTES} bytes.")
    try:
        document = parse_canonical_object(raw.strip(b"\r\n"))
    except ValueError as error:
        raise ChallengeInvalidError(f"It is {error}.") from error
    for name, is_allowed in (_RULES | {name: rule for name, rule in _PLACE.items() if name in document}).items():
        if not is_allowed(document.get(name)):
            raise ChallengeInvalidError(f"{name} is missing or not allowed.")
    if not _PLACE.keys() & document.keys() or document.keys() - _RULES.keys() - _PLACE.keys():
        raise ChallengeInvalidError("It needs a domain or a fingerprint, and no member that is not specified.")
    _check_proof(document)
    return Challenge(
        nonce=str(document["nonce"]),
        usage_key=public_jwk(public_key(document["usage_key"])),
        domain=_text(document.get("domain")),
        fingerprint=_text(document.get("fingerprint")),
    )


def _check_proof(document: dict[str, object]) -> None:
    told = {name: value for name, value in document.items() if name != "proof"}
    try:
        proof = decode_base64url(str(document["proof"]).encode())
        public_key(document["usage_key"]).verify(proof, _PROOF_CONTEXT + canonical_json(told))
    except (ValueError, InvalidSignature) as error:
        raise ChallengeInvalidError("proof is not a signature of usage_key over the rest.") from error


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
