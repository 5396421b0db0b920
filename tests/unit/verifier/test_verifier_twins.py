"""
The Python and the JavaScript verifier know the same codes, and say the same about time, place and lists.
"""

import json
import subprocess
from typing import Any

import pytest

from keywright_verify import Code
from tests.unit.verifier.corpus import Vector
from tests.unit.verifier.issuer import DAY, NONCE, NOW, issue, issue_answer, issue_revocations, revocation
from tests.unit.verifier.judges import LAYER, in_javascript, in_python

JAVASCRIPT = LAYER / "javascript/keywright-verify.mjs"


def periods() -> list[Vector]:
    vectors = []
    for enforcement in ("advisory", "grace", "hard"):
        token = issue(enforcement=enforcement, fingerprint="fp-1", later={"unknown": [1, None, {"a": True}]}).encode()
        for day in (-3, -1, 0, 29, 30, 36, 37, 400):
            at = {"now": NOW + day * DAY}
            vectors.append(Vector(f"{enforcement} day {day}", token, at=at | {"domain": "SHOP.example.com."}))
            vectors.append(Vector(f"{enforcement} anywhere, day {day}", token, at=at))
            vectors.append(Vector(f"{enforcement} marked, {day}", token, at=at | {"mark": {"time": NOW, "epoch": 0}}))
    return vectors


def lists() -> list[Vector]:
    texts = {
        "empty": issue_revocations(),
        "this one": issue_revocations(revoked=[revocation("lic_0192")]),
        "another": issue_revocations(revoked=[revocation("lic_other")]),
        "named like a property": issue_revocations(revoked=[revocation("__proto__")], min_seq={"constructor": 1}),
        "replaced": issue_revocations(min_seq={"lic_0192": 4}),
        "current": issue_revocations(min_seq={"lic_0192": 3}),
        "old": issue_revocations(epoch=1, prev_hash=None),
        "overdue": issue_revocations(next_update=NOW),
    }
    vectors = [Vector(f"as list: {name}", text.encode(), at={}, kind="list") for name, text in texts.items()]
    for license_id in ("lic_0192", "__proto__", "constructor"):
        token = issue(lid=license_id, seq=0, rev_epoch_min=2).encode()
        for mode in ("warn", "require"):
            at = {"now": NOW, "revocation_mode": mode}
            vectors.append(Vector(f"{license_id}, {mode}, no list", token, at=at))
            for name, text in texts.items():
                vectors.append(Vector(f"{license_id}, {mode}: {name}", token, at=at | {"revocations": text}))
    return vectors


def answers() -> list[Vector]:
    at = {"now": NOW, "nonce": NONCE}
    texts = {
        "yes": issue_answer(),
        "unknown code": issue_answer(code="SEATS_SHARED_OK"),
        "no": issue_answer(code="SUSPENDED", valid=False),
        "more claims": issue_answer(later={"a": [1]}),
    }
    return [Vector(f"answer: {name}", text.encode(), at=at, kind="answer") for name, text in texts.items()]


def test_both_verifiers_agree_on_time_lists_and_answers(tmp_path):
    vectors = [*periods(), *lists(), *answers()]

    python = [in_python(vector, tmp_path) for vector in vectors]

    assert python == in_javascript(vectors, tmp_path)
    assert {answer["code"] for answer in python} >= {"VALID", "GRACE", "EXPIRED_ADVISORY", "SEATS_SHARED_OK"}


@pytest.mark.parametrize("identity", [{"machine-id": "a"}, {"b": "2", "a": "ü\U0001d54f", "\ue000": "\n"}])
def test_both_make_the_same_fingerprint(identity):
    from keywright_verify import fingerprint

    assert from_node("fingerprint(input)", identity) == fingerprint(identity)


def test_each_reads_the_challenge_that_the_other_writes(tmp_path):
    from keywright_verify import load_or_create_key, new_challenge, read_challenge

    key = load_or_create_key(tmp_path / "machine.pem")
    mine = new_challenge(key, domain="shop.example.com", fingerprint="fp-1")
    theirs = from_node(
        "newChallenge(loadOrCreateKey(input), {domain: 'shop.example.com'})", str(tmp_path / "machine.pem")
    )

    assert from_node("readChallenge(input).nonce", mine) == read_challenge(mine).nonce
    assert read_challenge(theirs).usage_key == read_challenge(mine).usage_key


@pytest.mark.parametrize(
    ("damage", "by"), [("", "."), ("shop", "chop"), ('"v":1', '"v":2'), ('"domain":"shop.example.com",', "")]
)
def test_an_altered_challenge_is_refused_by_both(tmp_path, damage, by):
    from keywright_verify import ChallengeInvalidError, load_or_create_key, new_challenge, read_challenge

    text = new_challenge(load_or_create_key(tmp_path / "machine.pem"), domain="shop.example.com", fingerprint="fp-1")
    altered = text.replace(damage, by, 1)

    with pytest.raises(ChallengeInvalidError):
        read_challenge(altered)
    refusal = (
        "(() => { try { readChallenge(input); return 'read' } catch (error) { return error.constructor.name } })()"
    )
    assert from_node(refusal, altered) == "ChallengeInvalidError"


def from_node(expression: str, given: object) -> Any:
    script = f"import * as verifier from {json.dumps(JAVASCRIPT.as_uri())};"
    script += "const { CODES, explain, fingerprint, loadOrCreateKey, newChallenge, readChallenge } = verifier;"
    script += f"const input = {json.dumps(given)}; console.log(JSON.stringify({expression}))"
    command = ["node", "--input-type=module", "-e", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def test_both_verifiers_list_the_same_codes_in_the_same_order_and_words():
    theirs = from_node("CODES.map((code) => [code, explain(code)])", None)

    assert theirs == [[code, code.explanation] for code in Code]


@pytest.mark.parametrize("name", [path.name for path in JAVASCRIPT.parent.glob("*.mjs")])
def test_the_javascript_verifier_needs_no_package(name):
    imports = [
        line for line in (JAVASCRIPT.parent / name).read_text().splitlines() if " from " in line and "port" in line[:6]
    ]

    assert all('from "node:' in line or 'from "./' in line for line in imports)
