"""The schema is brought up to date while a deployment runs, before any new code takes traffic."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import triggers
from constructs import Construct

from infra.constructs.functions import Functions
from infra.manifest import FUNCTIONS

FUNCTION = "migrate"


class Migration(Construct):
    """
    Runs the function ``migrate`` whenever its code, its settings or a layer has changed.

    All other functions are updated only after it has succeeded; if it fails, CloudFormation goes back to the old code.
    So a migration must leave the schema usable by the code before it.
    """

    def __init__(self, scope: Construct, name: str, *, functions: Functions, after: list[Construct]) -> None:
        super().__init__(scope, name)
        (timeout_s,) = (function.timeout_s for function in FUNCTIONS if function.name == FUNCTION)
        triggers.Trigger(
            self,
            "Run",
            handler=functions[FUNCTION],
            timeout=cdk.Duration.seconds(timeout_s),
            execute_after=after,
            execute_before=[*functions.except_for(FUNCTION)],
        )
