"""
How new code takes over: a tenth of the calls for a quarter of an hour, then all, and back by itself if an alarm rings.

Old and new code run side by side meanwhile, over a schema that the migration has already brought up to date.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.functions import Functions
from infra.constructs.migration import FUNCTION as MIGRATION
from infra.manifest import FUNCTIONS


class Deployments(Construct):
    """One deployment group per function, except for the migration, which runs before all of them."""

    def __init__(
        self, scope: Construct, name: str, *, functions: Functions, alarms: Sequence[cloudwatch.IAlarm]
    ) -> None:
        super().__init__(scope, name)
        application = codedeploy.LambdaApplication(self, "Application")
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSCodeDeployRoleForLambdaLimited")
            ],
        )
        for function in FUNCTIONS:
            if function.name == MIGRATION:
                continue
            codedeploy.LambdaDeploymentGroup(
                self,
                function.name,
                application=application,
                role=role,
                alias=functions[function.name].live,
                # Three periods of the slower of the two alarms: in one alone a tenth of the calls would show little.
                deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_15_MINUTES,
                alarms=list(alarms),
                auto_rollback=codedeploy.AutoRollbackConfig(
                    failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
                ),
            )
