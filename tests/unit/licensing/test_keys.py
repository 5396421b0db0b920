"""Which key signs what, how keys follow one another, and a key that never leaves its vault."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keywright.licensing import tokens
from keywright.licensing.gateway import KmsSigner
from keywright.licensing.keys import rotation
from keywright.licensing.keys.ring import KeyRing, LicenseKey, local_key, ring
from keywright.licensing.keys.rotation import Periods
from keywright.platform.clock import from_unix, to_unix
from keywright.platform.errors import SettingMissing
from keywright_verify import Code, KeySet, verify
from tests.stripe_events import BEGINNING
from tests.unit.licensing.test_rules import draft

START = from_unix(BEGINNING)
DAY = timedelta(days=1)
PERIODS = Periods(life=365 * DAY, lead=90 * DAY)


def key(kid: str, **period: datetime | None) -> LicenseKey:
    return local_key(kid, Ed25519PrivateKey.generate(), **period)


OLD, NEW = key("k_old", retire_at=START + 10 * DAY), key("k_new", not_before=START + 10 * DAY)
KEYS = ring(NEW, OLD)


@pytest.mark.parametrize(("day", "kid"), [(-999, "k_old"), (9, "k_old"), (10, "k_new"), (999, "k_new")])
def test_a_key_signs_what_was_caused_in_its_period(day: int, kid: str):
    assert KEYS.signing_at(START + day * DAY).kid == kid


def test_what_a_forgotten_key_should_have_signed_is_signed_by_the_next():
    forgotten = ring(NEW, LicenseKey("k_old", OLD.public, None, None, OLD.retire_at))

    assert forgotten.signing_at(START).kid == "k_new"
    with pytest.raises(SettingMissing):
        KeyRing(()).signing_at(START)


def test_a_file_of_the_second_in_which_its_key_retires_is_right():
    """A file is dated by the whole second; its key may have retired later in it."""
    retiring = key("k_old", retire_at=START + timedelta(milliseconds=500))
    published = KeySet.from_jwks({"keys": [retiring.jwk()]})

    assert verify(tokens.sign(draft().claims, retiring), published, now=BEGINNING + 5).code is Code.VALID
    later = tokens.sign({**draft().claims, "iat": BEGINNING + 1}, retiring)
    assert verify(later, published, now=BEGINNING + 5).code is Code.KEY_NOT_VALID_AT_ISSUE


def test_keys_follow_one_another_at_whole_seconds():
    new, old = rotation.succeeded([{"kid": "k_old"}], {"kid": "k_new"}, signs_from=START + timedelta(milliseconds=500))

    assert new["not_before"] == old["retire_at"] == START.isoformat()


def test_the_published_set_bounds_what_each_key_may_sign():
    published = KeySet.from_jwks({"keys": [each.jwk() for each in KEYS.keys]})
    claims = draft().claims

    in_time, too_late = tokens.sign(claims, OLD), tokens.sign({**claims, "iat": to_unix(START + 11 * DAY)}, OLD)

    assert verify(in_time, published, now=BEGINNING + 5).code is Code.VALID
    assert verify(too_late, published, now=BEGINNING + 5).code is Code.KEY_NOT_VALID_AT_ISSUE


def entry(kid: str, **more: str) -> dict[str, Any]:
    return {**rotation.new_entry(), "kid": kid, **more}


Rotating = Callable[[list[dict[str, Any]], datetime], list[dict[str, Any]]]


def properly(entries: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    return rotation.rotated(entries, PERIODS, new=rotation.new_entry(), now=now)


def at_once(entries: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Let a new key sign as soon as it is there, when no installed product knows it."""
    return rotation.rotated(entries, Periods(PERIODS.life, timedelta()), new=rotation.new_entry(), now=now)


def unannounced(rotate: Rotating) -> list[str]:
    """Run the schedule for five years; return the keys that signed before they had been published for a while."""
    entries, published = [entry("k_1", not_before=START.isoformat())], {"k_1": START - 999 * DAY}
    wrong = []
    for day in range(5 * 365):
        now = START + day * DAY
        entries = rotate(entries, now)
        for each in entries:
            published.setdefault(each["kid"], now)
        begun = [each for each in entries if datetime.fromisoformat(each["not_before"]) <= now]
        signing = max(begun, key=lambda each: each["not_before"])["kid"]
        if now - published[signing] < 60 * DAY:
            wrong.append(signing)
    assert len(published) >= 5
    return wrong


def test_a_new_key_is_published_long_before_it_signs():
    assert unannounced(properly) == []


def test_a_rotation_that_signs_at_once_is_caught():
    assert unannounced(at_once) != []


def test_rotating_again_changes_nothing_and_a_retired_key_loses_its_private_half():
    entries = [entry("k_1", not_before=START.isoformat())]
    now = START + 300 * DAY

    once = properly(entries, now)
    twice = properly(once, now)
    later = properly(once, datetime.fromisoformat(once[0]["not_before"]) + 61 * DAY)

    assert once == twice
    assert (once[1]["retire_at"], len(once)) == (once[0]["not_before"], 2)
    assert ("private_pem" in later[1], "public_pem" in later[1]) == (False, True)
    assert "private_pem" in later[0]


def test_a_key_without_a_beginning_is_given_its_time_too():
    entries = [entry("k_1")]

    noted = properly(entries, START)
    due = properly(noted, START + 300 * DAY)

    assert ([each["kid"] for each in noted], len(due)) == (["k_1"], 2)


@pytest.fixture
def vault() -> Iterator[tuple[KmsSigner, Stubber, Ed25519PrivateKey]]:
    """KMS, whose client checks every request against AWS's own description of it."""
    client = boto3.client("kms", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield KmsSigner("alias/licenses", client), stubber, Ed25519PrivateKey.generate()


def test_kms_signs_the_message_itself_and_gives_its_public_half(vault: Any):
    signer, stubber, private = vault
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    stubber.add_response(
        "get_public_key",
        {"PublicKey": public, "KeySpec": "ECC_NIST_EDWARDS25519", "SigningAlgorithms": ["ED25519_SHA_512"]},
        {"KeyId": "alias/licenses"},
    )
    remote = LicenseKey("k_kms", signer.public(), signer)
    expected = tokens.sign(draft().claims, local_key("k_kms", private))
    message, _, signature = expected.rpartition(".")
    stubber.add_response(
        "sign",
        {"Signature": private.sign(message.encode()), "SigningAlgorithm": "ED25519_SHA_512"},
        {
            "KeyId": "alias/licenses",
            "Message": message.encode(),
            "MessageType": "RAW",
            "SigningAlgorithm": "ED25519_SHA_512",
        },
    )

    signed = tokens.sign(draft().claims, remote)

    assert (signed, signer.remote) == (expected, True)
    assert tokens.is_signed_by(signed, remote)
    stubber.assert_no_pending_responses()
    assert len(signature) == 86


def test_a_kms_key_of_another_kind_is_refused(vault: Any):
    signer, stubber, private = vault
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    stubber.add_response("get_public_key", {"PublicKey": public, "KeySpec": "ECC_NIST_P256"})

    with pytest.raises(SettingMissing, match="ECC_NIST_P256"):
        signer.public()


def test_one_changed_byte_is_no_signature_of_the_key():
    token = tokens.sign(draft().claims, OLD)
    tampered = token[:-1] + ("A" if token[-1] != "A" else "Q")

    assert tokens.is_signed_by(token, OLD)
    assert not any(map(partial(tokens.is_signed_by, key=OLD), (tampered, token + "A")))
    assert not tokens.is_signed_by(token, NEW)
    assert json.loads(tokens.canonical({"b": 1, "a": 2})) == {"a": 2, "b": 1}
