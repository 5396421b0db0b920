"""The third-party layer: what the lock names, for Lambda's platform. Its binaries are looked at, not run."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from infra.constructs import packaging

_ELF_AARCH64 = 183


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vendor")
    assert packaging.VendorWheels().try_bundle(str(folder))
    return folder


def _foreign(binaries: list[Path]) -> list[str]:
    """Return the shared objects that are built for another processor, by the machine field of the ELF header."""
    return [path.name for path in binaries if int.from_bytes(path.read_bytes()[18:20], "little") != _ELF_AARCH64]


def _locked() -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", packaging.LOCK.read_text(), re.MULTILINE))


def test_every_binary_is_for_arm64(layer: Path):
    binaries = [*layer.rglob("*.so")]

    assert binaries
    assert _foreign(binaries) == []


def test_a_binary_of_this_machine_is_noticed_by_its_header(tmp_path: Path):
    binary = tmp_path / "x86.so"
    binary.write_bytes(b"\x7fELF" + bytes(14) + (62).to_bytes(2, "little"))

    assert _foreign([binary]) == ["x86.so"]


def test_the_layer_holds_each_locked_package_and_no_scripts(layer: Path):
    installed = {path.name.split("-")[0].lower().replace("_", "-") for path in layer.glob("python/*.dist-info")}

    assert installed == _locked()
    assert not (layer / "python/bin").exists()


def test_bytecode_is_for_lambdas_version_or_absent(layer: Path):
    suffixes = {"".join(path.suffixes[-2:]) for path in layer.rglob("*.pyc")}

    assert suffixes == ({".cpython-313.pyc"} if packaging.bytecode_compiler() else set())


def test_the_layer_is_named_by_whether_it_carries_bytecode():
    assert packaging.vendor_fingerprint(bytecode=True) != packaging.vendor_fingerprint(bytecode=False)


def test_the_lock_covers_the_declared_dependencies_with_hashes_and_without_addresses():
    project = tomllib.loads((packaging.ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[\[<>=!~ ]", dependency)[0] for dependency in project["dependencies"]}
    lock = packaging.LOCK.read_text()

    assert declared <= _locked()
    assert lock.count("--hash=sha256:") >= len(_locked())
    assert "://" not in lock


def test_the_cdk_command_line_is_pinned_exactly_and_its_lock_names_no_address():
    toolchain = packaging.ROOT / "infra/toolchain"
    lock = (toolchain / "package-lock.json").read_text()

    # The registry's newest is a 3.0.0 that refuses this project's library.
    assert json.loads((toolchain / "package.json").read_text())["dependencies"] == {"aws-cdk": "2.1148.1"}
    assert json.loads(lock)["packages"]["node_modules/aws-cdk"]["version"] == "2.1148.1"
    assert "://" not in lock
