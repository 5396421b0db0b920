"""
Every handler string of the template starts in the runtime client over the built assets, laid out as Lambda does it.

Third-party packages come from this environment and not from the vendor layer, whose binaries are for arm64.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import sysconfig

import pytest

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


async def _start(assembly: Assembly, function: str, handler: str) -> list[str]:
    """Start the runtime client that AWS publishes over the assets, and return what it said if it could not."""
    layers = [assembly.layer_asset("Core") / "python", assembly.layer_asset("Verifier") / "python"]
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
def test_every_function_starts_in_the_runtime_client_over_the_built_assets(assembly: Assembly, function: str):
    handler = assembly.functions()[function]["Properties"]["Handler"]

    assert asyncio.run(_start(assembly, function, handler)) == []


def test_a_handler_that_is_not_in_the_assets_does_not_start(assembly: Assembly):
    (said,) = asyncio.run(_start(assembly, "catalog", "functions.auth.handler.handler"))

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
