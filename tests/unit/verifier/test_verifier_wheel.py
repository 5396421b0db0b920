"""
The wheel as customers get it: built from this tree without a network, installed in an environment of its own, and run.
"""

import json
import os
import subprocess
import sys
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.unit.verifier.issuer import DAY, DOMAIN, JWKS, NOW, issue
from tests.unit.verifier.judges import LAYER


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder)]
    run(sys.executable, "-m", "pip", "wheel", *options, str(LAYER))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment that holds the standard library, cryptography and what it needs, and the wheel."""
    folder = tmp_path_factory.mktemp("site")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    packages = next((folder / "venv/lib").glob("python3*/site-packages"))
    for name in ("cryptography", "cffi", "pycparser"):
        found = distribution(name)
        for file in found.files or []:
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = packages / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(Path(str(found.locate_file(file))).read_bytes())
    python = str(folder / "venv/bin/python")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--quiet", str(wheel), cwd=folder)
    (folder / "license.jwt").write_text(issue())
    (folder / "license-keys.json").write_text(json.dumps(JWKS))
    return folder


def run(*command: str, cwd: Path | None = None, expect: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if cwd is None or name == "PATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == expect, done.stderr
    return done.stdout


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    ours = {path.relative_to(LAYER / "python").as_posix() for path in (LAYER / "python").rglob("*.py")}
    assert {name for name in names if ".dist-info/" not in name} == ours | {"keywright_verify/py.typed"}


def test_the_installed_package_needs_only_cryptography(site):
    script = "from importlib.metadata import requires; print(requires('keywright-verify'))"

    assert run(str(site / "venv/bin/python"), "-c", script, cwd=site).strip() == "['cryptography>=42']"
    run(sys.executable, "-m", "pip", "--python", str(site / "venv/bin/python"), "check", cwd=site)


def test_the_installed_package_imports_from_where_it_was_installed(site):
    script = "import keywright_verify, keywright_verify.usage; print(keywright_verify.__file__)"

    assert str(site) in run(str(site / "venv/bin/python"), "-c", script, cwd=site)


@pytest.mark.parametrize(("at", "exit_code", "code"), [(NOW, 0, "VALID"), (NOW + 30 * DAY, 1, "EXPIRED")])
def test_the_installed_command_verifies_a_license(site, at, exit_code, code):
    command = [str(site / "venv/bin/keywright-verify"), "license.jwt", "--keys", "license-keys.json"]

    said = run(*command, "--domain", DOMAIN, "--at", str(at), "--json", cwd=site, expect=exit_code)

    assert json.loads(said)["code"] == code


def test_the_installed_command_goes_the_whole_way_through_an_air_gap(site):
    command = str(site / "venv/bin/keywright-verify")
    run(command, "challenge", "--usage-key", "machine.pem", "--domain", DOMAIN, "--out", "challenge.json", cwd=site)
    log = ["--log", "usage.db", "--license-id", "lic_1"]
    use = ["--meter", "calls", "--value", "1.5", "--id", "r1", "--time", "1798761600"]
    run(command, "usage", "record", *log, *use, cwd=site)
    made = ["--usage-key", "machine.pem", "--period", "2027-01", "--out", "january.jwt"]
    run(command, "usage", "export", *log, *made, "--at", "1801440000", cwd=site)

    said = run(command, "usage", "verify", "january.jwt", "--challenge", "challenge.json", "--json", cwd=site)

    assert json.loads(said)["exports"][0]["meters"]["calls"]["sum"] == "1.5"
