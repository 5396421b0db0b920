"""What SES is told to tell us: by the configuration set, bounces and complaints go to the account's default bus."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ses as ses
from constructs import Construct

_TOLD = ["BOUNCE", "COMPLAINT"]


class Mail(Construct):
    """
    The configuration set that all mail is sent with, and the sender's domain as SES knows it.

    An account has a domain once: where another deployment or an operator has made it, it is only named here.
    """

    def __init__(self, scope: Construct, name: str, *, domain: str, makes_identity: bool) -> None:
        super().__init__(scope, name)
        stack = cdk.Stack.of(self)
        if makes_identity:
            self._make_identity(domain)
        configuration_set = ses.CfnConfigurationSet(
            self,
            "ConfigurationSet",
            delivery_options=ses.CfnConfigurationSet.DeliveryOptionsProperty(tls_policy="REQUIRE"),
            reputation_options=ses.CfnConfigurationSet.ReputationOptionsProperty(reputation_metrics_enabled=True),
        )
        ses.CfnConfigurationSetEventDestination(
            self,
            "Feedback",
            configuration_set_name=configuration_set.ref,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                enabled=True,
                matching_event_types=_TOLD,
                event_bridge_destination=ses.CfnConfigurationSetEventDestination.EventBridgeDestinationProperty(
                    event_bus_arn=stack.format_arn(service="events", resource="event-bus", resource_name="default")
                ),
            ),
        )
        self.configuration_set_name = configuration_set.ref
        self.resources = [
            stack.format_arn(service="ses", resource="identity", resource_name=domain),
            stack.format_arn(service="ses", resource="configuration-set", resource_name=configuration_set.ref),
        ]

    def _make_identity(self, domain: str) -> None:
        """Have SES verify the domain; the outputs are the DNS records by which its owner agrees."""
        identity = ses.EmailIdentity(self, "Identity", identity=ses.Identity.domain(domain))
        for number, record in enumerate(identity.dkim_records, start=1):
            value = f"{record.name} CNAME {record.value}"
            cdk.CfnOutput(self, f"Dkim{number}", key=f"MailRecord{number}", value=value)

    @property
    def event_detail(self) -> dict[str, Any]:
        """Return what tells events about our mail from those about another sender's in the same account."""
        return {"mail": {"tags": {"ses:configuration-set": [self.configuration_set_name]}}}
