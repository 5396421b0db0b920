"""
Every handler string of the template imports from the built assets alone, laid out as Lambda lays them out.

Third-party packages come from this environment and not from the vendor layer, whose binaries are for arm64.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig

import pytest

from infra.manifest import FUNCTIONS
from tests.infra.assembly import Assembly

_IMPORT = """
import importlib, json, sys
sys.path[:0] = json.loads(sys.argv[1])
module, _, name = sys.argv[2].rpartition(".")
assert callable(getattr(importlib.import_module(module), name))
"""


def _import_from_assets(assembly: Assembly, function: str, dotted_name: str) -> subprocess.CompletedProcess[str]:
    """Import in an interpreter that knows neither the repository nor this process's environment."""
    path = [
        assembly.function_asset(function),
        assembly.layer_asset("Core") / "python",
        assembly.layer_asset("Verifier") / "python",
        sysconfig.get_path("purelib"),
    ]
    # Lambda sets all variables before it imports the handler; references get a value only when deployed.
    told = {name: value if isinstance(value, str) else "x" for name, value in assembly.environment(function).items()}
    return subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", _IMPORT, json.dumps([str(entry) for entry in path]), dotted_name],
        cwd=assembly.directory,
        env={**told, "AWS_DEFAULT_REGION": "eu-central-1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("function", [function.name for function in FUNCTIONS])
def test_the_handler_of_every_function_imports(assembly: Assembly, function: str):
    handler = assembly.functions()[function]["Properties"]["Handler"]

    done = _import_from_assets(assembly, function, handler)

    assert done.returncode == 0, done.stderr


def test_a_module_outside_the_assets_does_not_import(assembly: Assembly):
    done = _import_from_assets(assembly, FUNCTIONS[0].name, "infra.manifest.Function")

    assert "No module named 'infra'" in done.stderr


def test_a_function_ships_its_own_folder_only(assembly: Assembly):
    for function in assembly.functions():
        asset = assembly.function_asset(function)
        shipped = {path.relative_to(asset).parts[:2] for path in asset.rglob("*") if path.is_file()}

        assert shipped <= {("functions", "__init__.py"), ("functions", function)}


def test_the_core_layer_ships_the_package_its_sql_and_the_migrations_without_bytecode(assembly: Assembly):
    asset = assembly.layer_asset("Core")

    assert {path.name for path in asset.iterdir()} <= {"python", "migrations"}
    assert (asset / "python/keywright/__init__.py").is_file()
    assert [*asset.rglob("*.pyc")] == []
