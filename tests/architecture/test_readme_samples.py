"""The README's samples do what it says, on a real license; on a license for another domain they say no."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.unit.verifier import issuer

README = (ROOT / "README.md").read_text()
LONG_AGO, FAR_AHEAD = 1_700_000_000, 4_000_000_000


def python_sample() -> str:
    samples: list[str] = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(samples) == 1
    return samples[0]


def command_sample() -> list[str]:
    command = re.search(r"^keywright-verify (.+)$", README, re.MULTILINE)
    assert command is not None
    return command.group(1).split()


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT / "layers/verifier/python")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "license-keys.json").write_text(json.dumps(issuer.JWKS))
    return tmp_path


def install_license(site: Path, *, domain: str) -> None:
    times = {"iat": LONG_AGO, "nbf": LONG_AGO, "exp": FAR_AHEAD, "grace_until": FAR_AHEAD}
    (site / "license.jwt").write_text(issuer.issue(domain=domain, **times))


@pytest.mark.parametrize(("domain", "code"), [("shop.example.com", "VALID"), ("other.example.com", "DOMAIN_MISMATCH")])
def test_the_python_sample_verifies_a_license(site: Path, domain: str, code: str) -> None:
    install_license(site, domain=domain)

    done = run(site, "-c", f"{python_sample()}\nprint(verdict.code)")

    assert done.stdout.strip() == code, done.stderr


@pytest.mark.parametrize(("domain", "exit_code"), [("shop.example.com", 0), ("other.example.com", 1)])
def test_the_command_sample_verifies_a_license(site: Path, domain: str, exit_code: int) -> None:
    install_license(site, domain=domain)

    done = run(site, "-m", "keywright_verify", *command_sample())

    assert done.returncode == exit_code, done.stderr
