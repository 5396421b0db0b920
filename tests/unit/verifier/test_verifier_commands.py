"""
The commands, run as an operator runs them: two files, no network.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.verifier.issuer import DAY, DOMAIN, JWKS, KEY, NOW, issue, issue_revocations, revocation

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
