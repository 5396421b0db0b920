"""Which deployment a command is about: the variables of its functions, taken over into this process."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

AWS_FAILURES = (BotoCoreError, ClientError)
_OURS = "KEYWRIGHT_"


def adopt(stack: str) -> None:
    """Set every variable of ours that any function of the stack has, and that this process has not."""
    for name, value in variables(boto3.client("cloudformation"), boto3.client("lambda"), stack).items():
        os.environ.setdefault(name, value)


def variables(cloudformation: Any, lambda_: Any, stack: str) -> dict[str, str]:
    """Collect the variables of a stack's functions. All functions are told the same by the same name."""
    found: dict[str, str] = {}
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::Lambda::Function":
                said = lambda_.get_function_configuration(FunctionName=resource["PhysicalResourceId"])
                told = said.get("Environment", {}).get("Variables", {})
                found |= {name: value for name, value in told.items() if name.startswith(_OURS)}
    return found
