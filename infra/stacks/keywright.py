"""
Keywright as one CloudFormation stack.

One, because everything here is deployed and rolled back together: the schema, the code that needs it and the routes
that lead to the code. The topics are constructs; this module only connects them.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.api import Api
from infra.constructs.database import Database
from infra.constructs.event_rules import EventRules
from infra.constructs.functions import Functions, Surroundings
from infra.constructs.mail import Mail
from infra.constructs.migration import Migration
from infra.constructs.network import Network
from infra.constructs.queues import Queues
from infra.constructs.schedules import Schedules
from infra.constructs.secrets import OperatorSecrets
from infra.constructs.settings import OWN_ENDPOINT, Settings
from infra.manifest import FUNCTIONS, Permission, Secret

_MADE_BY_THE_STACK = frozenset({"API_URL", "EVENT_BUS", "MAIL_CONFIGURATION_SET"})


class KeywrightStack(cdk.Stack):
    """One deployment for one vendor."""

    def __init__(self, scope: Construct, name: str, *, settings: Settings) -> None:
        super().__init__(scope, name, description="Keywright: licensing and billing for self-hosted software")
        stated = _stated_settings(settings)
        bus = events.EventBus(self, "EventBus", event_bus_name=settings.value("event_bus"))
        mail = Mail(self, "Mail")
        api = Api(self, "Api", origins=settings.cors_origins)
        network = Network(self, "Network")
        database = Database(self, "Database", network=network)
        operator_secrets = OperatorSecrets(self, "Secrets")
        surroundings = Surroundings(
            network=network,
            queues=Queues(self, "Queues"),
            secret_arns={**database.secret_arns, **operator_secrets.secret_arns},
            settings={
                **stated,
                "API_URL": _api_url(settings, api),
                "EVENT_BUS": bus.event_bus_name,
                "MAIL_CONFIGURATION_SET": mail.configuration_set_name,
            },
            permissions={
                Permission.SEND_MAIL: self._may_send_mail(settings, mail),
                Permission.PUT_EVENTS: iam.PolicyStatement(actions=["events:PutEvents"], resources=[bus.event_bus_arn]),
                Permission.SIGN_LICENSES: self._may_sign(),
                Permission.ROTATE_LICENSE_KEYS: iam.PolicyStatement(
                    actions=["secretsmanager:PutSecretValue"],
                    resources=[operator_secrets.secret_arns[Secret.LICENSE_KEYS]],
                ),
            },
        )
        functions = Functions(self, "Functions", surroundings=surroundings)
        Migration(self, "Migration", functions=functions, after=[network, database])
        api.route_to(functions)
        Schedules(self, "Schedules", functions=functions)
        EventRules(self, "EventRules", functions=functions, details={"aws.ses": mail.event_detail})
        cdk.CfnOutput(self, "AlarmTopic", value=Alarms(self, "Alarms").topic.topic_arn)
        cdk.CfnOutput(self, "ApiUrl", value=surroundings.settings["API_URL"])

    def _may_sign(self) -> iam.PolicyStatement:
        """Allow signatures with the KMS keys that the operator has tagged for it, and with no other."""
        return iam.PolicyStatement(
            actions=["kms:Sign", "kms:GetPublicKey"],
            resources=[self.format_arn(service="kms", resource="key", resource_name="*")],
            conditions={"StringEquals": {"aws:ResourceTag/keywright": "license-key"}},
        )

    def _may_send_mail(self, settings: Settings, mail: Mail) -> iam.PolicyStatement:
        """Allow mail from the one domain; its identity is verified in SES by the operator, beforehand."""
        identity = self.format_arn(service="ses", resource="identity", resource_name=settings.mail_domain)
        return iam.PolicyStatement(actions=["ses:SendEmail"], resources=[identity, mail.configuration_set_arn])


def _stated_settings(settings: Settings) -> Mapping[str, str]:
    """Return every setting that any function wants and that the stack does not make itself."""
    wanted = {name for function in FUNCTIONS for name in function.settings}
    return {name: settings.value(name.lower()) for name in sorted(wanted - _MADE_BY_THE_STACK)}


def _api_url(settings: Settings, api: Api) -> str:
    stated = settings.value("api_url")
    return api.endpoint if stated == OWN_ENDPOINT else stated
