"""
Access tokens: RS256 JWTs (RFC 9068), made and verified. A valid one is only a hint until the session is checked.

Verification trusts nothing that the token says about itself: the algorithm is pinned, the key comes from our own
table by its exact name, and a header field that we do not write is a reason to refuse.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import RSAAlgorithm

from keywright.identity.models import AccessTokenInvalid, Caller
from keywright.platform import clock

ALGORITHM = "RS256"
AUDIENCE = "keywright"
TYPE = "at+jwt"
LIFETIME = timedelta(minutes=15)

_LEEWAY_S = 30
# A container that has kept the old secret signs with the old key for a minute more.
_OVERLAP = timedelta(minutes=30)
_MAX_LENGTH = 4096
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_HEADER_FIELDS = frozenset({"alg", "kid", "typ"})
_CLAIMS = ["sub", "sid", "cid", "email", "role", "iss", "aud", "iat", "nbf", "exp", "jti"]


@dataclass(frozen=True)
class Claims:
    """What a token says, once its signature, issuer, audience and times have been checked."""

    user_sid: str
    session_sid: str
    customer_sid: str


@dataclass(frozen=True)
class SigningKey:
    """
    A private key and the name that tokens call it by.

    ``signs_from`` lets a key be published before it signs, so that whoever keeps our key set for a while knows it in
    time. A key without it may sign at once.
    """

    kid: str
    private: RSAPrivateKey
    signs_from: datetime | None = None


class AccessTokens:
    """
    The tokens of one issuer. The newest key whose time has come signs; of keys without a time, the first.

    All verify, until the last token that a replaced key can have signed has expired.
    """

    def __init__(self, keys: tuple[SigningKey, ...], *, issuer: str) -> None:
        self._keys = keys
        self._public: Mapping[str, RSAPublicKey] = {key.kid: key.private.public_key() for key in keys}
        self._issuer = issuer

    def issue(self, caller: Caller, *, now: datetime) -> str:
        """Return a token that says who is calling, good for fifteen minutes."""
        at = clock.to_unix(now)
        claims = {
            "sub": caller.user_sid,
            "sid": caller.session_sid,
            "cid": caller.customer_sid,
            "email": caller.email,
            "role": caller.role,
            "iss": self._issuer,
            "aud": AUDIENCE,
            "iat": at,
            "nbf": at,
            "exp": at + int(LIFETIME.total_seconds()),
            "jti": str(uuid.uuid4()),
        }
        key = self._signing_key(now)
        headers = {"typ": TYPE, "kid": key.kid}
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=headers)

    def verify(self, token: str, *, now: datetime) -> Claims:
        """
        Return what a token of ours says.

        :raises AccessTokenInvalid: whatever is wrong with it; the caller learns no more
        """
        if len(token) > _MAX_LENGTH or not _COMPACT.fullmatch(token):
            raise refused()
        try:
            claims = self._decode(token, now=now)
        # The header is parsed before anything is proven: deep nesting exhausts the parser's stack.
        except (jwt.PyJWTError, RecursionError, ValueError) as problem:
            raise refused() from problem
        if not _is_timely(claims, now=clock.to_unix(now)):
            raise refused()
        who = (claims["sub"], claims["sid"], claims["cid"])
        if not all(isinstance(sid, str) for sid in who):
            raise refused()
        return Claims(*who)

    def jwks(self, *, now: datetime) -> list[dict[str, str]]:
        """Return the public keys as JWKs (RFC 7517), for others to verify by: those to come included."""
        return [
            {"kid": kid, "use": "sig", "alg": ALGORITHM, **_numbers(RSAAlgorithm.to_jwk(key, as_dict=True))}
            for kid, key in self._public.items()
            if not self._is_retired(kid, now)
        ]

    def derived_keys(self, purpose: bytes, *, now: datetime) -> tuple[bytes, ...]:
        """Return a key for another purpose from each of ours, the signing one's first. It tells nothing of ours."""
        signing = self._signing_key(now)
        ordered = [signing, *(key for key in self._keys if key is not signing)]
        return tuple(
            HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(_der(key.private)) for key in ordered
        )

    def _signing_key(self, now: datetime) -> SigningKey:
        begun = [key for key in self._keys if key.signs_from is not None and key.signs_from <= now]
        return max(
            begun, key=_begin, default=next((key for key in self._keys if key.signs_from is None), self._keys[0])
        )

    def _is_retired(self, kid: str, now: datetime) -> bool:
        """Tell whether another key has signed for so long that no token of this one can be alive."""
        began = {key.kid: key.signs_from for key in self._keys}[kid]
        later = (key.signs_from for key in self._keys if key.signs_from is not None and key.kid != kid)
        return any((began is None or begin > began) and begin + _OVERLAP <= now for begin in later)

    def _decode(self, token: str, *, now: datetime) -> dict[str, Any]:
        _refuse_doubled_fields(token)
        header = jwt.get_unverified_header(token)
        if header.keys() != _HEADER_FIELDS or header["typ"] != TYPE:
            raise refused()
        kid = header["kid"]
        if not isinstance(kid, str) or kid not in self._public or self._is_retired(kid, now):
            raise refused()
        return jwt.decode(
            token,
            self._public[kid],
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=self._issuer,
            # Times are checked by _is_timely, because the library would read the clock itself.
            options={
                "require": _CLAIMS,
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )


def refused() -> AccessTokenInvalid:
    """Return the one error for every bad token: what was wrong with it would help only those who forge."""
    return AccessTokenInvalid("Log in again, or refresh the access token.")


def _is_timely(claims: Mapping[str, Any], *, now: int) -> bool:
    issued, begins, ends = claims["iat"], claims["nbf"], claims["exp"]
    if not all(type(moment) is int for moment in (issued, begins, ends)):
        return False
    return bool(max(issued, begins) - _LEEWAY_S <= now < ends + _LEEWAY_S)


def _refuse_doubled_fields(token: str) -> None:
    """Refuse what says a thing twice: of two readers one may take the first, the other the last."""
    for part in token.split(".")[:2]:
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_once_each)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise refused()
    return fields


def _der(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _begin(key: SigningKey) -> float:
    return 0.0 if key.signs_from is None else key.signs_from.timestamp()


def _numbers(jwk: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(jwk[name]) for name in ("kty", "n", "e")}
