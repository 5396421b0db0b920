"""
The environment variables that a function's processes are given: its own, and no other function's.

Pure: it reads the manifest entry and the values that are passed in.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from infra.local.trouble import Trouble
from infra.manifest import OPTIONAL_SECRETS, Function, Queue

ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"

OURS = "KEYWRIGHT_"

SOURCE_FOLDERS = ("", "layers/core/python", "layers/verifier/python")


class MissingEnvironment(Trouble):
    """A function lacks a variable, or is told what it cannot read."""


def region_of(environment: Mapping[str, str]) -> str:
    """
    Find the region in the variables that boto3 reads, in its order.
    """
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or DEFAULT_REGION


def handler_of(function: Function) -> str:
    """
    Build the handler string, the same here and on AWS.
    """
    return f"functions.{function.name}.handler.handler"


def function_environment(
    function: Function,
    *,
    root: Path,
    environment: Mapping[str, str],
    queue_urls: Mapping[Queue, str],
) -> dict[str, str]:
    """
    Choose what one function may see.

    :raises MissingEnvironment: if a setting or secret of its manifest entry has no value
    """
    common = {name: value for name, value in environment.items() if not name.startswith(OURS)}
    queues = {f"{OURS}{queue}_QUEUE_URL": queue_urls[queue] for queue in function.sends_to}
    return (
        common
        | _lambda_environment(function, root=root, region=region_of(environment))
        | queues
        | _own(function, environment)
    )


def _own(function: Function, environment: Mapping[str, str]) -> dict[str, str]:
    names = [f"{OURS}{name}" for name in function.settings]
    names += [f"{OURS}{secret}_SECRET" for secret in function.secrets]
    may_lack = {f"{OURS}{secret}_SECRET" for secret in OPTIONAL_SECRETS}
    names = [name for name in names if name in environment or name not in may_lack]
    if missing := [name for name in names if name not in environment]:
        raise MissingEnvironment(f"The function {function.name!r} needs {', '.join(missing)}: not in the environment.")
    return {name: environment[name] for name in names}


def _lambda_environment(function: Function, *, root: Path, region: str) -> dict[str, str]:
    return {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # The runtime client compares this: only with a runtime of 3.12 or later do signals reach a handler.
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "LAMBDA_TASK_ROOT": str(root),
        "_HANDLER": handler_of(function),
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(str(root / folder) for folder in SOURCE_FOLDERS),
        "PYTHONUNBUFFERED": "1",
        # Bytecode is checked by a file's second and size: an edit within one second would run the old code.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
