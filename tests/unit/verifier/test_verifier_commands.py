"""
The commands, run as an operator runs them: two files, no network.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.verifier.issuer import (
    DAY,
    DOMAIN,
    JWKS,
    KEY,
    NONCE,
    NOW,
    issue,
    issue_answer,
    issue_revocations,
    revocation,
)

LAYER = Path(__file__).parents[3] / "layers/verifier"
COMMANDS = {
    "python": [sys.executable, "-m", "keywright_verify"],
    "javascript": ["node", str(LAYER / "javascript/keywright-verify.mjs")],
}


@pytest.fixture(params=COMMANDS)
def run(request, tmp_path):
    (tmp_path / "license.jwt").write_text(issue() + "\n")
    (tmp_path / "license-keys.json").write_text(json.dumps(JWKS))

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        # Nothing else of the environment: where the programs and the package lie is all that they need.
        return subprocess.run(
            [*COMMANDS[request.param], *arguments],
            cwd=tmp_path,
            env={
                "PYTHONPATH": str(LAYER / "python"),
                "PATH": os.environ["PATH"],
                "PYTHONUTF8": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return call


ASK = ("license.jwt", "--keys", "license-keys.json", "--at", str(NOW))


def test_a_valid_license_ends_with_0_and_says_so(run):
    done = run(*ASK, "--domain", DOMAIN)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("VALID: The license is valid.")
    assert "2027-02-14 08:00:00Z" in done.stdout.replace("T", " ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--domain", "other.example.com"), "DOMAIN_MISMATCH"),
        (("--at", str(NOW + 30 * DAY)), "EXPIRED"),
        (("--audience", "other"), "AUDIENCE_MISMATCH"),
        (("--issuer", "other"), "ISSUER_MISMATCH"),
    ],
)
def test_a_license_that_is_not_valid_ends_with_1_and_its_code(run, arguments, code):
    done = run(*ASK, *arguments, "--json")

    assert done.returncode == 1
    assert (json.loads(done.stdout)["code"], json.loads(done.stdout)["valid"]) == (code, False)


def test_the_json_answer_carries_the_claims(run):
    answer = json.loads(run(*ASK, "--json").stdout)

    assert answer["license"]["lid"] == "lic_0192"
    assert answer["license"]["plan"] == "Orbit für Teams \U0001d54f"
    assert answer["notes"] == ["domain-unchecked"]


def test_a_revoked_license_ends_with_1(run, tmp_path):
    (tmp_path / "revocations.jwt").write_text(issue_revocations(revoked=[revocation("lic_0192")]))

    done = run(*ASK, "--revocations", "revocations.jwt")

    assert done.returncode == 1
    assert done.stdout.startswith("REVOKED")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"x" * 100_000])
def test_any_file_gets_a_verdict(run, tmp_path, content):
    (tmp_path / "license.jwt").write_bytes(content)

    done = run(*ASK, "--json")

    assert done.returncode == 1
    assert json.loads(done.stdout) == {"code": "MALFORMED", "license": None, "notes": [], "valid": False} | {
        "detail": json.loads(done.stdout)["detail"]
    }


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("license.jwt",),
        ("missing.jwt", "--keys", "license-keys.json"),
        ("license.jwt", "--keys", "missing.json"),
        ("license.jwt", "--keys", "license.jwt"),
        (*ASK, "--at", "tomorrow"),
        (*ASK, "--revocations", "license.jwt"),
        (*ASK, "--unknown"),
    ],
)
def test_a_question_that_cannot_be_asked_ends_with_2(run, arguments):
    done = run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr != ""
    assert "Traceback" not in done.stderr


def test_a_private_key_in_the_key_file_is_refused(run, tmp_path):
    (tmp_path / "license-keys.json").write_text(json.dumps({"keys": [KEY.jwk(d="AAAA")]}))

    done = run(*ASK)

    assert done.returncode == 2
    assert "private key" in done.stderr


def test_a_list_is_required_where_the_operator_says_so(run):
    done = run(*ASK, "--require-revocations", "--json")

    assert (done.returncode, json.loads(done.stdout)["code"]) == (1, "REVOCATION_LIST_MISSING")


def test_a_list_can_be_checked_by_itself(run, tmp_path):
    (tmp_path / "revocations.jwt").write_text(issue_revocations(revoked=[revocation("lic_1")], next_update=NOW) + "\n")
    ask = ("revocations", "revocations.jwt", "--keys", "license-keys.json", "--at", str(NOW), "--json")

    good = run(*ask)
    (tmp_path / "revocations.jwt").write_text(issue())
    bad = run(*ask)

    answer = json.loads(good.stdout)
    assert (good.returncode, answer["epoch"], answer["revoked"], answer["notes"]) == (0, 7, 1, ["revocations-overdue"])
    assert (bad.returncode, json.loads(bad.stdout)["code"]) == (1, "MALFORMED")


def test_an_answer_counts_for_its_nonce_only(run, tmp_path):
    (tmp_path / "answer.jwt").write_text(issue_answer())
    ask = ("answer", "answer.jwt", "--keys", "license-keys.json", "--at", str(NOW), "--json")

    right, wrong = (run(*ask, "--nonce", nonce) for nonce in (NONCE, "m" * 32))

    assert (right.returncode, json.loads(right.stdout)["answer"]["lid"]) == (0, "lic_0192")
    assert (wrong.returncode, json.loads(wrong.stdout)["code"]) == (1, "NONCE_MISMATCH")


def test_a_nonce_is_new_each_time(run):
    nonces = [run("nonce").stdout.strip() for _ in range(2)]

    assert len(set(nonces)) == 2
    assert all(len(nonce) == 32 for nonce in nonces)


def test_a_challenge_is_written_for_the_machine_and_its_license_is_bound_to_it(run, tmp_path):
    (tmp_path / "machine-id").write_text("4f1c\n")
    print_ = run("fingerprint", "machine-id=@machine-id").stdout.strip()

    made = run("challenge", "--usage-key", "machine.pem", "--fingerprint", print_, "--out", "challenge.json", "--json")
    nonce = json.loads((tmp_path / "challenge.json").read_text())["nonce"]
    answers = []
    for challenge in (nonce, "n" * 32):
        (tmp_path / "license.jwt").write_text(issue(challenge=challenge, fingerprint=print_))
        done = run(*ASK, "--challenge", "challenge.json", "--fingerprint", print_, "--json")
        answers.append(json.loads(done.stdout)["code"])

    assert json.loads(made.stdout)["fingerprint"] == print_
    assert answers == ["VALID", "CHALLENGE_MISMATCH"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("challenge", "--usage-key", "machine.pem"),
        ("challenge", "--usage-key", "license.jwt", "--domain", DOMAIN),
        ("challenge", "--domain", DOMAIN),
        ("fingerprint",),
        ("fingerprint", "machine-id"),
        ("fingerprint", "a=1", "a=2"),
        ("fingerprint", "a=@missing"),
        ("answer", "license.jwt", "--keys", "license-keys.json"),
        ("revocations", "missing", "--keys", "license-keys.json"),
        ("nonce", "extra"),
    ],
)
def test_other_questions_that_cannot_be_asked_end_with_2(run, arguments):
    done = run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr != ""
    assert "Traceback" not in done.stderr
    assert "    at " not in done.stderr
