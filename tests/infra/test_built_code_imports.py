"""
Every handler string of the template starts in the runtime client over the built assets, laid out as Lambda does it.

Third-party packages come from the vendor layer alone, built from the same lock file for this machine's processor and
Python. Of this environment there is the runtime client, which Lambda brings along, and no other package.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from infra.constructs import packaging
from infra.local.lambda_runtime.invocation import InitFailed
from infra.local.lambda_runtime.process import FunctionProcess, FunctionSettings
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


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The third-party layer, built for where the tests run."""
    target = tmp_path_factory.mktemp("vendor")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    packaging.install_wheels(target, version=version, platform=f"{platform.machine()}-manylinux_2_34")
    return target


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runtime client with what it stands on, which Lambda's image holds beside Python."""
    folder, here = tmp_path_factory.mktemp("client"), Path(sysconfig.get_path("purelib"))
    named = [here / name for name in ("awslambdaric", "simplejson", "snapshot_restore_py.py")]
    for found in [*named, *here.glob("runtime_client.*.so")]:
        (folder / found.name).symlink_to(found)
    return folder


async def _start(assembly: Assembly, function: str, handler: str, *packages: Path) -> list[str]:
    """Start the runtime client that AWS publishes over the assets, and return what it said if it could not."""
    layers = [assembly.layer_asset("Core") / "python", assembly.layer_asset("Verifier") / "python", *packages]
    told = {name: value if isinstance(value, str) else "x" for name, value in assembly.environment(function).items()}
    settings = FunctionSettings(
        name=function,
        handler=handler,
        arn=f"arn:aws:lambda:eu-central-1:123456789012:function:{function}",
        environment={
            **told,
            "AWS_REGION": "eu-central-1",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "PYTHONPATH": os.pathsep.join(map(str, layers)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": os.defpath,
        },
        folder=assembly.function_asset(function),
        timeout_s=60,
        init_limit_s=120,
        # Without ``site`` an environment's own packages are not on the path.
        python=(sys.executable, "-S"),
    )
    process = await FunctionProcess.spawn(settings, lambda _source, _line: None)
    try:
        await process.ready()
    except InitFailed as failure:
        return [failure.message]
    finally:
        await process.kill()
    return []


@pytest.mark.parametrize("function", [function.name for function in FUNCTIONS])
def test_every_function_starts_in_the_runtime_client_over_the_built_assets(
    assembly: Assembly, vendor: Path, client: Path, function: str
):
    handler = assembly.functions()[function]["Properties"]["Handler"]

    assert asyncio.run(_start(assembly, function, handler, vendor, client)) == []


def test_a_package_that_the_layer_lacks_keeps_a_function_from_starting(
    assembly: Assembly, vendor: Path, client: Path, tmp_path: Path
):
    """It is there in the environment that the tests run in, which must be of no help."""
    lacking = tmp_path / "vendor"
    lacking.mkdir()
    for package in vendor.iterdir():
        if package.name != "pydantic":
            (lacking / package.name).symlink_to(package)

    (said,) = asyncio.run(_start(assembly, "catalog", "functions.catalog.handler.handler", lacking, client))

    assert "No module named 'pydantic'" in said


def test_a_handler_that_is_not_in_the_assets_does_not_start(assembly: Assembly, vendor: Path, client: Path):
    (said,) = asyncio.run(_start(assembly, "catalog", "functions.auth.handler.handler", vendor, client))

    assert "No module named 'functions.auth'" in said


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
