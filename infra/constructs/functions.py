"""
The Lambda functions of the manifest.

Each has a role of its own that may do what its line in the manifest says, write its own log and use the network;
nothing else. The one permission on every resource is AWS's managed policy for network interfaces, which cannot be
narrowed. Whoever calls a function calls its alias ``live``, so that a new version can take over little by little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs import packaging
from infra.constructs.network import Network
from infra.constructs.queues import Queues
from infra.constructs.stated import judged
from infra.manifest import FUNCTIONS, Function, Permission, QueueTrigger, Secret
from infra.permissions import Places, Statement, is_asynchronous, lambda_statements, present, statements
from infra.profiles import Profile

LIVE = "live"


@dataclass(frozen=True)
class Surroundings:
    """What functions are wired to, in the deployment of that name."""

    deployment: str
    network: Network
    profile: Profile
    queues: Queues
    failures: sqs.Queue
    secret_arns: Mapping[Secret, str]
    settings: Mapping[str, str]
    permitted: Mapping[Permission, list[str]]

    def environment(self, function: Function) -> dict[str, str]:
        """
        Return the variables by which the code finds its settings, secrets and queues.

        :raises MissingContext: if the function's settings class wants others
        """
        environment = {
            **{f"KEYWRIGHT_{setting}": self.settings[setting] for setting in function.settings},
            **{f"KEYWRIGHT_{each}_SECRET": self.secret_arns[each] for each in present(function, self.secret_arns)},
            **{f"KEYWRIGHT_{queue}_QUEUE_URL": self.queues[queue].queue_url for queue in function.sends_to},
        }
        return judged(function, environment)

    def statements(self, function: Function, *, log: logs.LogGroup) -> list[Statement]:
        """Return what the function may do to them."""
        places = Places(
            deployment=self.deployment,
            secrets=self.secret_arns,
            queues={queue: self.queues[queue].queue_arn for queue in function.sends_to},
            permitted=self.permitted,
        )
        return [
            *statements(function, places),
            *lambda_statements(
                log=log.log_group_arn,
                queue=self.queues[function.trigger.queue].queue_arn if function.trigger else None,
                failures=self.failures.queue_arn if is_asynchronous(function) else None,
            ),
        ]


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
    """One function with its role, its log and its alias."""

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
        from_snapshot = function.snap_start and surroundings.profile.starts_from_snapshots
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
            role=_role(scope, function, surroundings.statements(function, log=log)),
            log_group=log,
            vpc=surroundings.network.vpc,
            vpc_subnets=surroundings.network.function_subnets,
            security_groups=[surroundings.network.functions],
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if from_snapshot else None,
            # The version before is there until the whole update has succeeded, and then goes: each that stays would be
            # paid for where it has a snapshot.
            current_version_options=lambda_.VersionOptions(removal_policy=cdk.RemovalPolicy.DESTROY),
        )
        self.live = lambda_.Alias(self, "Live", alias_name=LIVE, version=self.current_version)
        if function.trigger:
            self._take_from(surroundings.queues, function.trigger)
        if is_asynchronous(function):
            self._keep_failures(surroundings.failures)

    def _take_from(self, queues: Queues, trigger: QueueTrigger) -> None:
        """Report failures message by message, so that one bad message does not bring its whole batch back."""
        lambda_.EventSourceMapping(
            self,
            "Queue",
            target=self.live,
            event_source_arn=queues[trigger.queue].queue_arn,
            batch_size=trigger.batch_size,
            max_concurrency=trigger.maximum_concurrency,
            max_batching_window=cdk.Duration.seconds(trigger.batching_window_s),
            report_batch_item_failures=True,
        )

    def _keep_failures(self, queue: sqs.Queue) -> None:
        """Nobody waits for its answer, so what failed for good is kept where an alarm looks."""
        kept = lambda_.CfnEventInvokeConfig(
            self,
            "Failures",
            function_name=self.function_name,
            qualifier=self.live.alias_name,
            maximum_retry_attempts=2,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=queue.queue_arn)
            ),
        )
        # It names the alias as plain text, and Lambda refuses one that is not there yet.
        kept.node.add_dependency(self.live)


def _role(scope: Construct, function: Function, allowed: list[Statement]) -> iam.Role:
    """Create the role by hand: CDK's own would let every function write to every log of the account."""
    document = iam.PolicyDocument(statements=[iam.PolicyStatement.from_json(statement) for statement in allowed])
    return iam.Role(
        scope,
        f"{function.name}-role",
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWSLambdaENIManagementAccess")],
        inline_policies={"Manifest": document},
    )
