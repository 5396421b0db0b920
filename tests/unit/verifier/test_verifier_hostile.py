"""
No hostile license passes, every honest one does, and a careless verifier would be found out.
"""

import base64
import hashlib
import hmac
import json
from collections import Counter

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from keywright_verify import Code, KeySet, verify
from tests.unit.verifier.corpus import ORDER, Vector, accepted, hostile
from tests.unit.verifier.issuer import DAY, DOMAIN, JWKS, KEY, NOW, b64, issue

KEYS = KeySet.from_jwks(JWKS)
HOSTILE = hostile()
TARGETED = [vector for vector in HOSTILE if vector.code is not None]


def test_no_hostile_license_is_accepted():
    passed = accepted(lambda vector: verify(vector.token, KEYS, **vector.at).valid, HOSTILE)

    assert passed == []
    assert len(HOSTILE) > 20_000


def test_each_hostile_license_gets_its_code():
    answers = {vector.name: verify(vector.token, KEYS, **vector.at).code for vector in TARGETED}

    assert answers == {vector.name: vector.code for vector in TARGETED}


def test_the_corpus_has_no_two_vectors_of_one_name():
    names = Counter(vector.name for vector in HOSTILE)

    assert [name for name, count in names.items() if count > 1] == []


def test_a_thousand_honest_licenses_are_accepted_whatever_the_skew():
    skews = (-300, -1, 0, 1, 299)
    verdicts = [
        verify(issue(seq=i, nbf=NOW, exp=NOW + DAY, plan=f"plan {i}"), KEYS, now=NOW + skews[i % 5], domain=DOMAIN)
        for i in range(1_000)
    ]

    assert {verdict.code for verdict in verdicts} == {Code.VALID}


@settings(deadline=None, database=None)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=400), st.from_regex(r"[\w-]+\.[\w-]+\.[\w-]{86}")))
def test_no_bytes_make_the_verifier_raise(token):
    assert not verify(token, KEYS, now=NOW).valid


@pytest.mark.parametrize("token", [None, 7, [], {}, object()])
def test_what_is_no_text_at_all_is_malformed(token):
    assert verify(token, KEYS, now=NOW).code is Code.MALFORMED


def _claims_say_yes(payload: str) -> bool:
    padded = payload + "=" * (-len(payload) % 4)
    return bool(json.loads(base64.urlsafe_b64decode(padded)).get("exp", 0) > NOW)


def _trusts_the_header(vector: Vector) -> bool:
    """Verify as the token asks to be verified."""
    try:
        header_text, payload, signature_text = vector.token.decode().split(".")
        header = json.loads(base64.urlsafe_b64decode(header_text + "=="))
        signature = base64.urlsafe_b64decode(signature_text + "==")
        message = f"{header_text}.{payload}".encode()
        if header["alg"] == "none":
            return _claims_say_yes(payload)
        if header["alg"] == "HS256":
            expected = hmac.digest(KEY.public_bytes, message, hashlib.sha256)
            return hmac.compare_digest(expected, signature) and _claims_say_yes(payload)
        key = base64.urlsafe_b64decode(header["jwk"]["x"] + "==")
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return _claims_say_yes(payload)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidSignature):
        return False


def _reads_base64_loosely(vector: Vector) -> bool:
    text = vector.token.decode("utf-8", "replace").strip().rstrip("=").replace("+", "-").replace("/", "_")
    head, _, signature = text.rpartition(".")
    try:
        signature = b64(base64.urlsafe_b64decode(signature + "=="))
    except ValueError:
        return False
    return verify(f"{head}.{signature}", KEYS, **vector.at).valid


def _reduces_s(vector: Vector) -> bool:
    head, _, signature = vector.token.decode("latin-1").rpartition(".")
    try:
        raw = base64.b64decode(signature + "==", b"-_", validate=True)
    except ValueError:
        return False
    reduced = (int.from_bytes(raw[32:], "little") % ORDER).to_bytes(32, "little")
    return verify(f"{head}.{b64(raw[:32] + reduced)}", KEYS, **vector.at).valid


def _ignores_the_place(vector: Vector) -> bool:
    return verify(vector.token, KEYS, now=vector.at["now"]).valid


@pytest.mark.parametrize(
    ("careless", "caught_by"),
    [
        (_trusts_the_header, {"alg none, unsigned", "HS256 with the public key", "own key in the header"}),
        (_reads_base64_loosely, {"padded signature", "new line at the end", "stray bits", "standard alphabet"}),
        (_reduces_s, {"S + L"}),
        (_ignores_the_place, {"domain 'evil.example.com'", "fingerprint 'fp-2'", "audience 'other'"}),
    ],
)
def test_the_corpus_catches_a_careless_verifier(careless, caught_by):
    passed = accepted(careless, TARGETED)

    assert caught_by <= set(passed)
