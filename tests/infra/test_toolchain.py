"""A bare machine becomes a working one by `make` alone, or is told in one message what it lacks."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.toolchain.locks import LOCKS
from infra.toolchain.registry import uv_environment

ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(sys.executable)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that was never set up."""
    root = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(ROOT / "infra" / "toolchain", root / "infra" / "toolchain", ignore=ignored)
    shutil.copy(ROOT / "infra" / "__init__.py", root / "infra")
    return root


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The PATH of a machine that has a shell and nothing else; programs are added by name."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    return programs


def add_program(machine: Path, name: str, script: str) -> None:
    (machine / name).write_text(f"#!/bin/sh\n{script}\n")
    (machine / name).chmod(0o755)


def set_up(checkout: Path, machine: Path, *wanted: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [checkout / "infra" / "toolchain" / "setup.sh", *wanted]
    return subprocess.run(command, env={"PATH": str(machine)}, capture_output=True, text=True, check=False, timeout=60)


def test_a_machine_with_an_old_python_is_told_which_it_needs(checkout, machine):
    add_program(machine, "python3", 'case "$1" in --version) echo "Python 3.9.2";; *) exit 1;; esac')

    done = set_up(checkout, machine)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Keywright needs Python 3.11 or newer, and this machine has Python 3.9.2. Install it, then say make again."
    ]


def test_a_machine_without_python_is_told_so(checkout, machine):
    done = set_up(checkout, machine)

    assert done.returncode == 1
    assert "this machine has no Python" in done.stderr


def test_an_old_node_is_named_with_its_version(checkout, machine):
    (machine / "python3").symlink_to(PYTHON.resolve())
    add_program(machine, "node", "echo v18.19.0")

    done = set_up(checkout, machine)

    assert done.returncode == 1
    assert "needs Node 20 or newer, and this machine has v18.19.0" in done.stderr


def test_a_name_on_the_path_that_does_not_run_is_passed_over(checkout, machine):
    add_program(machine, "python3", "echo 'this version is not installed' >&2; exit 127")
    (machine / "python3.11").symlink_to(PYTHON.resolve())

    done = set_up(checkout, machine)

    assert "needs Node" in done.stderr, "the next Python on the list should have run, and have missed Node"


def test_a_python_that_was_asked_for_is_taken_and_no_other(checkout, machine):
    (machine / "python3").symlink_to(PYTHON.resolve())
    asked_for = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (machine / asked_for).symlink_to(PYTHON.resolve())

    taken = set_up(checkout, machine, asked_for)
    missing = set_up(checkout, machine, "python3.99")

    assert "needs Node" in taken.stderr, "the Python that is there should have run, and have missed Node"
    assert missing.returncode == 1
    assert "this machine has no python3.99 that runs" in missing.stderr


@pytest.mark.parametrize(
    ("said", "environment"),
    [
        ([], ".venv"),
        (["WITH=python3.13"], ".local/venv-python3.13"),
        (["WITH=/opt/python/bin/python3.13"], ".local/venv-python3.13"),
    ],
)
def test_each_python_that_is_asked_for_has_its_own_environment(said, environment):
    # These tests may themselves be run by a make that was told something else.
    variables = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "WITH"}}
    command = ["make", "--no-print-directory", "--dry-run", "test", *said]

    shown = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True).stdout

    assert f"KEYWRIGHT_VENV={environment} infra/toolchain/setup.sh" in shown
    assert f"{environment}/bin/python -m pytest" in shown


def stamped(checkout: Path, action: str, environment: str = ".venv") -> str:
    command = [sys.executable, "-c", f"from infra.toolchain import stamp; print({action})"]
    variables = {**os.environ, "KEYWRIGHT_VENV": environment}
    done = subprocess.run(command, cwd=checkout, env=variables, capture_output=True, text=True, check=True)
    return str(done.stdout).strip()


@pytest.mark.parametrize(
    "changed", ["infra/toolchain/requirements.lock", "infra/toolchain/bootstrap.lock", ".venv/pyvenv.cfg"]
)
def test_a_ready_environment_is_made_anew_when_what_it_is_made_from_changes(checkout, changed):
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "pyvenv.cfg").write_text("version = 3.11.2\n")
    stamped(checkout, "stamp.write()")
    ready_before = stamped(checkout, "stamp.is_ready()")

    with (checkout / changed).open("a") as file:
        file.write("# changed\n")

    assert ready_before == "True"
    assert stamped(checkout, "stamp.is_ready()") == "False"


def test_a_ready_environment_says_nothing_of_another(checkout):
    for name in (".venv", ".local/venv-python3.13"):
        (checkout / name).mkdir(parents=True)
        (checkout / name / "pyvenv.cfg").write_text(f"home = {name}\n")

    stamped(checkout, "stamp.write()", ".local/venv-python3.13")

    assert stamped(checkout, "stamp.is_ready()", ".local/venv-python3.13") == "True"
    assert stamped(checkout, "stamp.is_ready()") == "False"


def test_uv_is_given_the_index_and_certificates_that_pip_has(tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://file.example.test/simple\ncert = /etc/ours.pem\n")
    environment = {
        "PATH": os.environ["PATH"],
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_INDEX_URL": "https://variable.example.test/simple",
    }

    given = uv_environment(PYTHON, environment)

    assert given["UV_DEFAULT_INDEX"] == "https://variable.example.test/simple"
    assert given["SSL_CERT_FILE"] == "/etc/ours.pem"


def test_settings_of_uv_itself_are_left_alone():
    own = {
        "PATH": os.environ["PATH"],
        "PIP_INDEX_URL": "https://pip.example.test",
        "UV_DEFAULT_INDEX": "https://uv.example.test",
    }

    assert uv_environment(PYTHON, own)["UV_DEFAULT_INDEX"] == "https://uv.example.test"


@pytest.mark.parametrize("lock", [lock.path for lock in LOCKS])
def test_a_lock_pins_every_package_by_hash_and_names_no_registry(lock):
    text = (ROOT / lock).read_text()

    requirements = re.findall(r"^[a-z0-9][^\n]*(?:\n    --hash[^\n]*)*", text, re.MULTILINE)

    assert requirements
    assert [name.splitlines()[0] for name in requirements if "--hash=sha256:" not in name] == []
    assert "://" not in text


def test_make_alone_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    [targets] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)

    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert [target for target in targets.split() if f"  make {target} " not in shown] == []
