"""
A verifier with one check taken out is found out by the corpus: each check is there for a vector, and each vector works.
"""

import base64
import hashlib
import hmac
import json
import shutil
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.unit.verifier.corpus import ORDER, Vector
from tests.unit.verifier.corpus_in_time import hostile, hostile_answers, hostile_lists
from tests.unit.verifier.issuer import KEY, NOW
from tests.unit.verifier.judges import LAYER, accepted, in_javascript, in_python_elsewhere

TARGETED = [vector for vector in (*hostile(), *hostile_lists(), *hostile_answers()) if vector.code is not None]
CODES = [vector.code for vector in TARGETED]
# A few of each code: a saboteur is caught by the vector that is meant for it, and each saboteur costs a process.
SAMPLE = [vector for n, vector in enumerate(TARGETED) if CODES[:n].count(vector.code) % 7 == 0]
REDUCED = f"signature[:32] + (int.from_bytes(signature[32:], 'little') % {ORDER}).to_bytes(32, 'little')"
REDUCED_IN_NODE = f"""const reduced = (signature) => {{
  const s = BigInt("0x" + Buffer.from(signature.subarray(32)).reverse().toString("hex")) % {ORDER}n;
  const end = Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse();
  return Buffer.concat([signature.subarray(0, 32), end]);
}};
export const isSignedBy"""

PYTHON = {
    "no canonical check": ("encoding.py", "if canonical_json(value) != raw:", "if False:", "payload: doubled exp"),
    "no S < L": ("keys.py", "public.verify(signature, message)", f"public.verify({REDUCED}, message)", "S + L"),
    "no typ": ("jws.py", 'if header.get("typ") != typ:', "if False:", "as a license: at+jwt with license claims"),
    "lenient base64": ("encoding.py", "if encode_base64url(raw) != text:", "if False:", "stray bits"),
    "no version": ("jws.py", "if version != VERSION:", "if False:", "v 2"),
    "other header members": ("jws.py", "if header.keys() != _H", "if not header.keys() >= _H", "header with jwk"),
    "keys for ever": ("claims.py", "if not signed.key.was_in_use(at):", "if False:", "bad list: retired key"),
    "no rollback of lists": ("verifier.py", "if epoch < seen.epoch:", "if False:", "list: older than the machine saw"),
    "no least epoch": (
        "verifier.py",
        "if epoch < license_.rev_epoch_min:",
        "if False:",
        "list: older than the license accepts",
    ),
    "the clock alone": ("verifier.py", "return max(at.now, latest)", "return at.now", "clock back by 1"),
    "no rollback of clocks": (
        "verifier.py",
        "if at.now < latest - TOLERANCE_S:",
        "if False:",
        "clock behind the list by 301",
    ),
    "any nonce": ("answer.py", "if answer.nonce != nonce:", "if False:", "bad answer: replayed"),
    "any license": ("answer.py", "if license_sid is not None and ", "if False and ", "bad answer: other license"),
}
JAVASCRIPT = {
    "no canonical check": ("encoding.mjs", "if (canonicalJson(value) !== text)", "if (false)", "payload: doubled exp"),
    "no S < L": ("keys.mjs", "export const isSignedBy", REDUCED_IN_NODE, "S + L"),
    "no typ": ("jws.mjs", 'if (member(header, "typ") !== typ)', "if (false)", "typ at+jwt"),
    "lenient base64": ("encoding.mjs", 'if (raw.toString("base64url") !== text)', "if (false)", "stray bits"),
}


@pytest.mark.parametrize("sabotage", PYTHON)
def test_a_python_verifier_without_a_check_is_caught(sabotage, tmp_path):
    file, old, new, caught = PYTHON[sabotage]
    sabotaged(LAYER / "python/keywright_verify", tmp_path / "keywright_verify", file, old, new)

    vectors = [*SAMPLE, *named(caught)]

    passed = accepted(vectors, in_python_elsewhere(vectors, tmp_path, code=tmp_path))

    assert caught in passed


@pytest.mark.parametrize("sabotage", JAVASCRIPT)
def test_a_javascript_verifier_without_a_check_is_caught(sabotage, tmp_path):
    file, old, new, caught = JAVASCRIPT[sabotage]
    copy = sabotaged(LAYER / "javascript", tmp_path / "javascript", file, old, new)
    if sabotage == "no S < L":
        replace(copy / file, "key.publicKey, signature);", "key.publicKey, reduced(signature));")

    vectors = [*SAMPLE, *named(caught)]

    passed = accepted(vectors, in_javascript(vectors, tmp_path, code=copy))

    assert caught in passed


def test_the_copies_are_as_strict_as_the_originals_until_they_are_sabotaged(tmp_path):
    shutil.copytree(LAYER / "python/keywright_verify", tmp_path / "keywright_verify")

    assert accepted(TARGETED, in_python_elsewhere(TARGETED, tmp_path, code=tmp_path)) == []


def named(name: str) -> list[Vector]:
    found = [vector for vector in TARGETED if vector.name == name]
    assert len(found) == 1
    return found


def sabotaged(source: Path, copy: Path, file: str, old: str, new: str) -> Path:
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    replace(copy / file, old, new)
    return copy


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_verifier_that_trusts_the_header_is_caught():
    passed = {vector.name for vector in TARGETED if trusts_the_header(vector)}

    assert {"alg none, unsigned", "HS256 with the public key", "own key in the header"} <= passed


def trusts_the_header(vector: Vector) -> bool:
    """Verify as the token asks to be verified."""
    try:
        header_text, payload, signature_text = vector.token.decode().split(".")
        header = json.loads(base64.urlsafe_b64decode(header_text + "=="))
        signature = base64.urlsafe_b64decode(signature_text + "==")
        message = f"{header_text}.{payload}".encode()
        if header["alg"] == "none":
            return claims_say_yes(payload)
        if header["alg"] == "HS256":
            expected = hmac.digest(KEY.public_bytes, message, hashlib.sha256)
            return hmac.compare_digest(expected, signature) and claims_say_yes(payload)
        key = base64.urlsafe_b64decode(header["jwk"]["x"] + "==")
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return claims_say_yes(payload)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidSignature):
        return False


def claims_say_yes(payload: str) -> bool:
    padded = payload + "=" * (-len(payload) % 4)
    return bool(json.loads(base64.urlsafe_b64decode(padded)).get("exp", 0) > NOW)
