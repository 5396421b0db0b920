"""
The key set and the canonical spelling: what the verifier trusts, and what the issuer must write.
"""

import json
import subprocess

import pytest

from keywright_verify import Code, KeySet, KeySetInvalidError, canonical_json, verify
from tests.unit.verifier.corpus import small_order_points
from tests.unit.verifier.issuer import DAY, JWKS, KEY, NOW, RETIRED, b64, claims, dump, issue, issue_with_header
from tests.unit.verifier.judges import LAYER


@pytest.mark.parametrize(
    ("jwks", "reason"),
    [
        ("", "not JSON"),
        (b"\xff", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "keys"),
        ({"keys": {}}, "keys"),
        ({"keys": [7]}, "keys"),
        ({"keys": []}, "no Ed25519 key"),
        ({"keys": [{"kty": "RSA", "kid": "r"}]}, "no Ed25519 key"),
        ({"keys": [KEY.jwk(), KEY.jwk()]}, "Two keys"),
        ({"keys": [KEY.jwk(d="AAAA")]}, "private key"),
        ({"keys": [KEY.jwk(kid="../k")]}, "no usable id"),
        ({"keys": [KEY.jwk(alg="HS256")]}, "not for EdDSA"),
        ({"keys": [KEY.jwk(use="enc")]}, "not for EdDSA"),
        ({"keys": [KEY.jwk(x="AAAA")]}, "32 bytes"),
        ({"keys": [KEY.jwk(x=7)]}, "32 bytes"),
        ({"keys": [KEY.jwk(x=KEY.jwk()["x"] + "=")]}, "base64url"),
        ({"keys": [KEY.jwk(nbf="1")]}, "nbf"),
        ({"keys": [KEY.jwk(exp=True)]}, "exp"),
    ],
)
def test_a_key_set_that_cannot_be_trusted_is_refused(jwks, reason):
    with pytest.raises(KeySetInvalidError, match=reason):
        KeySet.from_jwks(jwks)


def test_keys_of_other_types_are_passed_over(tmp_path):
    path = tmp_path / "license-keys.json"
    path.write_text(json.dumps({"keys": [{"kty": "RSA"}, *JWKS["keys"]]}))

    assert verify(issue(), KeySet.from_file(path), now=NOW).code is Code.VALID


@pytest.mark.parametrize(
    ("issued_at", "code"),
    [(NOW - 1, Code.KEY_NOT_VALID_AT_ISSUE), (NOW, Code.VALID), (NOW + DAY, Code.KEY_NOT_VALID_AT_ISSUE)],
)
def test_a_key_signs_only_in_its_period_of_use(issued_at, code):
    keys = KeySet.from_jwks({"keys": [KEY.jwk(nbf=NOW, exp=NOW + DAY)]})

    assert verify(issue(iat=issued_at, nbf=NOW), keys, now=NOW + 2 * DAY).code is code


def test_a_license_outlives_the_key_that_signed_it():
    keys = KeySet.from_jwks({"keys": [RETIRED.jwk(exp=NOW)]})
    token = issue_with_header(RETIRED, kid=RETIRED.kid)

    assert verify(token, keys, now=NOW + 29 * DAY).code is Code.VALID


def test_canonical_json_is_what_an_independent_issuer_writes():
    assert canonical_json(claims()) == dump(claims())


@pytest.mark.parametrize("point", small_order_points())
def test_a_key_that_anyone_could_sign_with_is_refused(point):
    weak = KEY.jwk(x=b64(small_order_points()[point]))

    with pytest.raises(KeySetInvalidError, match="small order"):
        KeySet.from_jwks({"keys": [weak]})


def test_node_refuses_a_key_of_small_order_too():
    keys = [KEY.jwk(x=b64(point)) for point in small_order_points().values()]
    script = f"import {{KeySet}} from {json.dumps((LAYER / 'javascript/keywright-verify.mjs').as_uri())};"
    script += "const ask = (key) => { try { KeySet.fromJwks({keys: [key]}); return 'taken' }"
    script += f"catch (error) {{ return error.message }} }}; console.log(JSON.stringify({json.dumps(keys)}.map(ask)))"

    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60, check=True
    )

    assert set(json.loads(done.stdout)) == {f"Key {KEY.kid} is a point of small order."}


@pytest.mark.parametrize("value", [1.0, 2**53, -(2**53), {1: 2}, {"a": (1,)}, "\ud800", b"x", [[[[[[[[1]]]]]]]]])
def test_canonical_json_refuses_what_a_license_cannot_carry(value):
    with pytest.raises(ValueError, match=r"."):
        canonical_json(value)
