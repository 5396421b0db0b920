"""
How new code takes over: a tenth of the calls for a quarter of an hour, then all, and back by itself if an alarm rings.

Old and new code run side by side meanwhile, over a schema that the migration has already brought up to date.

CodeDeploy starts nothing while one of the alarms rings. Then the code that would end it takes over at once instead,
which a deployment has to say.
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

# Three periods of the slower of the two alarms: in one alone a tenth of the calls would show little.
_GRADUAL = codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_15_MINUTES


class Deployments(Construct):
    """One deployment group per function, except for the migration, which runs before all of them."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        functions: Functions,
        alarms: Sequence[cloudwatch.IAlarm],
        gradual: bool,
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
            group = codedeploy.LambdaDeploymentGroup(
                self,
                function.name,
                application=application,
                role=role,
                alias=functions[function.name].live,
                deployment_config=_GRADUAL if gradual else codedeploy.LambdaDeploymentConfig.ALL_AT_ONCE,
                alarms=list(alarms),
                auto_rollback=codedeploy.AutoRollbackConfig(
                    failed_deployment=True, stopped_deployment=True, deployment_in_alarm=gradual
                ),
            )
            if not gradual:
                # Said, not left out: CodeDeploy keeps what it is not told about.
                resource = group.node.default_child
                assert isinstance(resource, codedeploy.CfnDeploymentGroup), "a deployment group is made of one"
                resource.add_property_override("AlarmConfiguration.Enabled", value=False)
