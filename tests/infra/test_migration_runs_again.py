"""A new migration lies in a layer, not in the function: a change of the layer must make the function's version new."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from infra.app import declared_context

_FLAG = "@aws-cdk/aws-lambda:recognizeLayerVersion"


def _version(context: dict[str, Any], layer: Path) -> set[str]:
    """Return the logical id of the version that a trigger would invoke."""
    stack = cdk.Stack(cdk.App(context=context), "stack")
    runtime = lambda_.Runtime.PYTHON_3_13
    function = lambda_.Function(
        stack,
        "migrate",
        runtime=runtime,
        handler="index.handler",
        code=lambda_.Code.from_inline("handler = print"),
        layers=[lambda_.LayerVersion(stack, "Core", code=lambda_.Code.from_asset(str(layer)))],
    )
    assert function.current_version
    return set(Template.from_stack(stack).find_resources("AWS::Lambda::Version"))


def _layers(tmp_path: Path) -> tuple[Path, Path]:
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        folder.mkdir()
        (folder / "0001_identity.sql").write_text("SELECT 1")
    (after / "0002_domains.sql").write_text("SELECT 2")
    return before, after


def test_a_new_migration_makes_the_version_new(tmp_path: Path):
    before, after = _layers(tmp_path)

    assert _version(declared_context(), before) != _version(declared_context(), after)


def test_without_the_declared_flag_a_new_migration_would_not_run(tmp_path: Path):
    before, after = _layers(tmp_path)
    forgetful = {**declared_context(), _FLAG: False}

    assert _version(forgetful, before) == _version(forgetful, after)
