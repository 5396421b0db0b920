"""
The challenge and the machine's key: what leaves a machine, and that nobody else can say it.
"""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keywright_verify import (
    ChallengeInvalidError,
    Code,
    MachineKeyInvalidError,
    canonical_json,
    fingerprint,
    load_or_create_key,
    new_challenge,
    read_challenge,
    verify,
)
from keywright_verify.machine import load_key, public_jwk
from tests.unit.verifier.corpus import small_order_points
from tests.unit.verifier.issuer import DOMAIN, NOW, b64, issue
from tests.unit.verifier.judges import KEYS

KEY = Ed25519PrivateKey.from_private_bytes(b"m" * 32)


def test_a_challenge_says_the_place_the_key_and_a_nonce_and_nothing_else():
    text = new_challenge(KEY, domain=DOMAIN, fingerprint=fingerprint({"machine-id": "secret"}))

    assert json.loads(text).keys() == {"v", "nonce", "domain", "fingerprint", "usage_key", "proof"}
    assert "secret" not in text
    assert read_challenge(text + "\n").usage_key == public_jwk(KEY.public_key())


def test_two_challenges_have_two_nonces():
    nonces = {read_challenge(new_challenge(KEY, domain=DOMAIN)).nonce for _ in range(100)}

    assert len(nonces) == 100


@pytest.mark.parametrize("place", [{}, {"domain": "Shop.example.com"}, {"domain": ""}, {"fingerprint": ""}])
def test_a_challenge_without_a_usable_place_is_not_written(place):
    with pytest.raises(ChallengeInvalidError):
        new_challenge(KEY, **place)


def test_no_character_of_a_challenge_can_be_changed():
    text = new_challenge(KEY, domain=DOMAIN, fingerprint="fp-1")
    taken = []

    for place in range(len(text)):
        for other in "aZ0":
            altered = text[:place] + other + text[place + 1 :]
            try:
                taken.append(read_challenge(altered)) if altered != text else None
            except ChallengeInvalidError:
                continue

    assert taken == []


def test_a_challenge_with_someone_elses_key_is_refused():
    told = json.loads(new_challenge(KEY, domain=DOMAIN))
    told["usage_key"] = public_jwk(Ed25519PrivateKey.from_private_bytes(b"n" * 32).public_key())

    with pytest.raises(ChallengeInvalidError, match="proof"):
        read_challenge(canonical_json(told))


@pytest.mark.parametrize("point", ["y=1 sign 0", "y=p sign 1", "y=-8 sign 0"])
def test_a_challenge_with_a_key_that_anyone_holds_is_refused(point):
    told = json.loads(new_challenge(KEY, domain=DOMAIN))
    told["usage_key"]["x"] = b64(small_order_points()[point])

    with pytest.raises(ChallengeInvalidError, match="usage_key"):
        read_challenge(canonical_json(told))


def test_a_license_for_another_challenge_is_refused():
    mine, other = (read_challenge(new_challenge(KEY, domain=DOMAIN)).nonce for _ in range(2))
    token = issue(challenge=mine, usage_key=public_jwk(KEY.public_key())["x"])

    codes = [verify(token, KEYS, now=NOW, domain=DOMAIN, challenge=nonce).code for nonce in (mine, other)]

    assert codes == [Code.VALID, Code.CHALLENGE_MISMATCH]


def test_the_same_facts_give_the_same_fingerprint_in_any_order():
    one, other = fingerprint({"a": "1", "b": "2"}), fingerprint({"b": "2", "a": "1"})

    assert one == other
    assert (
        len({one, fingerprint({"a": "12", "b": ""} | {"b": "2"}), fingerprint({"a": "1"}), fingerprint({"b": "1"})})
        == 4
    )


@pytest.mark.parametrize("facts", [{}, {"a": ""}])
def test_a_fingerprint_of_nothing_is_refused(facts):
    with pytest.raises(ValueError, match="facts"):
        fingerprint(facts)


def test_the_machines_key_is_made_once_and_only_for_its_owner(tmp_path):
    path = tmp_path / "machine.pem"

    with ThreadPoolExecutor(8) as pool:
        keys = {public_jwk(key.public_key())["x"] for key in pool.map(lambda _: load_or_create_key(path), range(8))}

    assert len(keys) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["text", "other curve"])
def test_a_file_that_is_no_key_is_refused_and_kept(tmp_path, kind):
    path = tmp_path / "machine.pem"
    pem = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    content = b"notes" if kind == "text" else pem
    path.write_bytes(content)

    with pytest.raises(MachineKeyInvalidError):
        load_or_create_key(path)

    assert path.read_bytes() == content


def test_a_key_that_must_be_there_is_not_made(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_key(tmp_path / "machine.pem")
