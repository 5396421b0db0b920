"""
The Lambda functions of the manifest.

Each has a role of its own that may do what its line in the manifest says, write its own log and use the network;
nothing else. The one permission on every resource is AWS's managed policy for network interfaces, which cannot be
narrowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs import packaging
from infra.constructs.network import Network
from infra.constructs.queues import Queues
from infra.manifest import FUNCTIONS, OPTIONAL_SECRETS, Function, Permission, QueueTrigger, Secret


@dataclass(frozen=True)
class Surroundings:
    """What functions are wired to."""

    network: Network
    queues: Queues
    secret_arns: Mapping[Secret, str]
    settings: Mapping[str, str]
    permissions: Mapping[Permission, iam.PolicyStatement]

    def environment(self, function: Function) -> dict[str, str]:
        """Return the variables by which the code finds its settings, secrets and queues."""
        return {
            **{f"KEYWRIGHT_{setting}": self.settings[setting] for setting in function.settings},
            **{f"KEYWRIGHT_{secret}_SECRET": self.secret_arns[secret] for secret in self._present(function)},
            **{f"KEYWRIGHT_{queue}_QUEUE_URL": self.queues[queue].queue_url for queue in function.sends_to},
        }

    def statements(self, function: Function) -> list[iam.PolicyStatement]:
        """Return what the function may do to them."""
        return [
            *_allow("secretsmanager:GetSecretValue", [self.secret_arns[secret] for secret in self._present(function)]),
            *_allow("sqs:SendMessage", [self.queues[queue].queue_arn for queue in function.sends_to]),
            *(self.permissions[permission] for permission in function.permissions),
        ]

    def _present(self, function: Function) -> list[Secret]:
        """Return the function's secrets without those that this deployment does without."""
        absent = OPTIONAL_SECRETS - set(self.secret_arns)
        return [secret for secret in function.secrets if secret not in absent]


class Functions(Construct):
    """Every function of the manifest, by name, over the three shared layers."""

    def __init__(self, scope: Construct, name: str, *, surroundings: Surroundings) -> None:
        super().__init__(scope, name)
        layers = self._layers()
        self._functions = {
            function.name: KeywrightFunction(self, function, surroundings=surroundings, layers=layers)
            for function in FUNCTIONS
        }

    def __getitem__(self, name: str) -> KeywrightFunction:
        return self._functions[name]

    def except_for(self, name: str) -> list[KeywrightFunction]:
        """Return all functions but one."""
        return [function for other, function in self._functions.items() if other != name]

    def _layers(self) -> list[lambda_.ILayerVersion]:
        code = {
            "Core": packaging.core_layer_code(),
            "Verifier": packaging.verifier_layer_code(),
            "Vendor": packaging.vendor_layer_code(),
        }
        return [
            lambda_.LayerVersion(
                self,
                name,
                code=layer,
                compatible_runtimes=[packaging.RUNTIME],
                compatible_architectures=[packaging.ARCHITECTURE],
                # An older version must outlive the deployment that replaces it, or it could not be rolled back.
                removal_policy=cdk.RemovalPolicy.RETAIN,
            )
            for name, layer in code.items()
        ]


class KeywrightFunction(lambda_.Function):
    """One function with its role and its log."""

    def __init__(
        self,
        scope: Construct,
        function: Function,
        *,
        surroundings: Surroundings,
        layers: list[lambda_.ILayerVersion],
    ) -> None:
        log = logs.LogGroup(
            scope,
            f"{function.name}-log",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        super().__init__(
            scope,
            function.name,
            description=function.description,
            runtime=packaging.RUNTIME,
            architecture=packaging.ARCHITECTURE,
            code=packaging.function_code(function.name),
            handler=f"functions.{function.name}.handler.handler",
            layers=layers,
            environment=surroundings.environment(function),
            timeout=cdk.Duration.seconds(function.timeout_s),
            memory_size=function.memory_mb,
            role=_role(scope, function, statements=surroundings.statements(function), log=log),
            log_group=log,
            vpc=surroundings.network.vpc,
            vpc_subnets=surroundings.network.function_subnets,
            security_groups=[surroundings.network.functions],
        )
        if function.trigger:
            self.add_event_source(_queue_source(surroundings.queues, function.trigger))


def _role(
    scope: Construct, function: Function, *, statements: list[iam.PolicyStatement], log: logs.LogGroup
) -> iam.Role:
    """Create the role by hand: CDK's own would let every function write to every log of the account."""
    role = iam.Role(
        scope,
        f"{function.name}-role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSLambdaENIManagementAccess")],
    )
    log.grant_write(role)
    for statement in statements:
        role.add_to_policy(statement)
    return role


def _queue_source(queues: Queues, trigger: QueueTrigger) -> event_sources.SqsEventSource:
    """Report failures message by message, so that one bad message does not bring its whole batch back."""
    return event_sources.SqsEventSource(
        queues[trigger.queue],
        batch_size=trigger.batch_size,
        max_concurrency=trigger.maximum_concurrency,
        max_batching_window=cdk.Duration.seconds(trigger.batching_window_s),
        report_batch_item_failures=True,
    )


def _allow(action: str, resources: list[str]) -> list[iam.PolicyStatement]:
    return [iam.PolicyStatement(actions=[action], resources=resources)] if resources else []
