"""Twenty thousand access tokens that somebody made up, against the real handler: none gets in, none makes it fail."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from infra.cli import keys
from keywright.identity import gateway
from keywright.platform import clock, secrets
from tests.api import Api
from tests.integration.identity.people import log_in, verified, who
from tests.unit.identity.forgery import HEADER, corpus

SIZE = 20_000


@pytest.fixture
def corpus_key(clean_database: object) -> Iterator[RSAPrivateKey]:
    """Sign by the key whose name the corpus uses, so that what is wrong with a token is never its key's name alone."""
    original = secrets.read("ACCESS_TOKEN_KEYS")["keys"]
    store([{**original[0], "kid": HEADER["kid"]}])
    key = load_pem_private_key(original[0]["private_pem"].encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    yield key
    store(original)


def test_no_hostile_token_gets_in_and_none_makes_the_handler_fail(call: Api, corpus_key: RSAPrivateKey) -> None:
    verified(now=clock.now())
    good = log_in(now=clock.now()).access_token
    foreign = generate_private_key(public_exponent=65537, key_size=3072)
    hostile = list(corpus(good, ours=corpus_key, foreign=foreign, flips=SIZE))

    admitted, failed = [], []
    for wrong, token in hostile:
        answer = call("auth", "GET", "/v1/me", headers={"authorization": f"Bearer {token}"})
        # White space around a header's value is no part of it: what is left then is the good token itself.
        if answer.status < 400 and token.strip() != good:
            admitted.append(wrong)
        if answer.status >= 500 or (answer.status >= 400 and answer.json["code"] != "access-token-invalid"):
            failed.append(wrong)

    assert len(hostile) >= SIZE
    assert (admitted, failed) == ([], [])
    assert call("auth", "GET", "/v1/me", token=good).status == 200


def test_a_key_that_was_rotated_away_lets_nobody_in_and_rotation_throws_nobody_out(call: Api) -> None:
    verified(now=clock.now())
    before, now = log_in(now=clock.now()), clock.now()
    original = secrets.read("ACCESS_TOKEN_KEYS")["keys"]

    announced = keys.rotated(original, keys.new_key(signs_from=now + keys._PUBLISHED_BEFORE), now=now)
    store(announced)
    soon, later, much_later = (now + times * keys._PUBLISHED_BEFORE for times in (1, 2, 8))
    try:
        access = gateway.access_tokens()
        kids = [[jwk["kid"] for jwk in access.jwks(now=moment)] for moment in (now, soon, much_later)]
        assert kids == [[announced[0]["kid"], "at-1"], [announced[0]["kid"], "at-1"], [announced[0]["kid"]]]
        assert who(before, now=now).email == "ada@example.com"
        assert access._signing_key(now).kid == "at-1"
        assert access._signing_key(later).kid == announced[0]["kid"]
        assert [key["kid"] for key in keys.rotated(announced, {"kid": "third"}, now=much_later)] == [
            "third",
            announced[0]["kid"],
        ]
    finally:
        store(original)


def store(held: list[dict[str, str]]) -> None:
    boto3.client("secretsmanager").put_secret_value(
        SecretId="keywright/ACCESS_TOKEN_KEYS", SecretString=json.dumps({"keys": held})
    )
    secrets.forget()
