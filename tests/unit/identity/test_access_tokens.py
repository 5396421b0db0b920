from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keywright.identity.access_tokens import AccessTokens, SigningKey
from keywright.identity.models import AccessTokenInvalid, Caller
from tests.unit.identity.conftest import ISSUER, NOW
from tests.unit.identity.forgery import corpus


def accepted(verifier: AccessTokens, tokens: list[tuple[str, str]]) -> list[str]:
    """Name the tokens that the verifier takes. Anything but its one error is a failure of the test."""
    taken = []
    for wrong, token in tokens:
        try:
            verifier.verify(token, now=NOW)
        except AccessTokenInvalid:
            continue
        taken.append(wrong)
    return taken


class AsksTheToken(AccessTokens):
    """The bug: the token says by which algorithm it wants to be verified."""

    def _decode(self, token: str, *, now: datetime) -> dict[str, Any]:
        header, signature = jwt.get_unverified_header(token), token.rpartition(".")[2]
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        if header.get("alg") == "none" and not signature:
            return claims
        if header.get("alg") == "HS256":
            secret = self._public[header["kid"]].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            mac = hmac.new(secret, token.rpartition(".")[0].encode(), hashlib.sha256).digest()
            if hmac.compare_digest(mac, jwt.utils.base64url_decode(signature)):
                return claims
        return super()._decode(token, now=now)


@pytest.fixture(scope="session")
def hostile(
    access: AccessTokens, private_key: RSAPrivateKey, other_key: RSAPrivateKey, caller: Caller
) -> list[tuple[str, str]]:
    return list(corpus(access.issue(caller, now=NOW), ours=private_key, foreign=other_key))


def test_a_token_says_who_is_calling(access: AccessTokens, caller: Caller) -> None:
    token = access.issue(caller, now=NOW)

    claims = access.verify(token, now=NOW)

    assert (claims.user_sid, claims.session_sid, claims.customer_sid) == ("usr_1", "ses_1", "cus_1")


def test_a_token_carries_the_claims_of_the_contract(access: AccessTokens, caller: Caller) -> None:
    token = access.issue(caller, now=NOW)

    claims = jwt.decode(token, options={"verify_signature": False})
    assert set(claims) == {"sub", "sid", "email", "role", "cid", "iss", "aud", "iat", "nbf", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert (claims["iss"], claims["aud"], claims["role"]) == (ISSUER, "keywright", "USER")
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "at+jwt", "kid": "key-1"}


@pytest.mark.parametrize(
    ("age", "good"),
    [
        (timedelta(seconds=-31), False),
        (timedelta(seconds=-30), True),
        (timedelta(0), True),
        (timedelta(minutes=15, seconds=29), True),
        (timedelta(minutes=15, seconds=30), False),
        (timedelta(days=400), False),
    ],
)
def test_a_token_is_good_for_fifteen_minutes_and_half_a_minute_of_skew(
    access: AccessTokens, caller: Caller, *, age: timedelta, good: bool
) -> None:
    token = access.issue(caller, now=NOW)

    try:
        access.verify(token, now=NOW + age)
        verified = True
    except AccessTokenInvalid:
        verified = False

    assert verified is good


def test_no_hostile_token_is_accepted_and_none_causes_another_error(
    access: AccessTokens, hostile: list[tuple[str, str]]
) -> None:
    assert len(hostile) > 950

    assert accepted(access, hostile) == []


def test_a_verifier_that_asks_the_token_for_the_algorithm_is_caught(
    private_key: RSAPrivateKey, hostile: list[tuple[str, str]]
) -> None:
    saboteur = AsksTheToken((SigningKey("key-1", private_key),), issuer=ISSUER)

    assert "HS256 with the public key as PEM" in accepted(saboteur, hostile)


def test_every_refusal_reads_the_same(access: AccessTokens, hostile: list[tuple[str, str]]) -> None:
    details = set()
    for _, token in hostile[::20]:
        with pytest.raises(AccessTokenInvalid) as refusal:
            access.verify(token, now=NOW)
        details.add(refusal.value.detail)

    assert len(details) == 1


def test_tokens_of_the_old_key_live_on_while_the_new_one_signs(
    private_key: RSAPrivateKey, other_key: RSAPrivateKey, caller: Caller
) -> None:
    before = AccessTokens((SigningKey("key-1", private_key),), issuer=ISSUER)
    after = AccessTokens((SigningKey("key-2", other_key), SigningKey("key-1", private_key)), issuer=ISSUER)

    old, new = before.issue(caller, now=NOW), after.issue(caller, now=NOW)

    assert after.verify(old, now=NOW).user_sid == "usr_1"
    assert jwt.get_unverified_header(new)["kid"] == "key-2"


def test_the_key_set_verifies_a_token_and_holds_no_private_part(access: AccessTokens, caller: Caller) -> None:
    token = access.issue(caller, now=NOW)

    (published,) = access.jwks(now=NOW)

    assert set(published) == {"kty", "use", "alg", "kid", "n", "e"}
    key = jwt.PyJWK(published)
    claims = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience="keywright",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert claims["sub"] == "usr_1"
