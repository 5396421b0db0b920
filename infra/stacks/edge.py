"""
What faces the public: the portal's files and the distribution, before the API of the other stack.

A stack of its own, because nothing here is needed by the code and a distribution takes minutes to change. It takes two
values from the other stack, the API's host and the key that proves the distribution, and neither ever goes away.
"""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from infra.constructs.api import Domain
from infra.constructs.distribution import Distribution
from infra.constructs.portal import Portal
from infra.constructs.settings import OWN_ENDPOINT, Settings
from infra.stacks.keywright import KeywrightStack


class EdgeStack(cdk.Stack):
    """Portal and distribution of one deployment."""

    def __init__(
        self, scope: Construct, name: str, *, settings: Settings, behind: KeywrightStack, firewall: str | None
    ) -> None:
        super().__init__(
            scope,
            name,
            description="Keywright: the portal, and the distribution before it and the API",
            env=cdk.Environment(region=settings.region),
            # The firewall's ACL lives where CloudFront wants it, which may be another region.
            cross_region_references=True,
        )
        portal = Portal(self, "Portal")
        certificate = settings.portal_certificate
        # Under one host the portal asks its own; otherwise the API's address has to be named.
        api_url = settings.value("api_url")
        distribution = Distribution(
            self,
            "Edge",
            bucket=portal.bucket,
            api_origin=behind.api.origin,
            api_url=None if api_url == OWN_ENDPOINT else api_url,
            edge_key=cdk.SecretValue.secrets_manager(
                behind.edge_key.secret_arn, json_field="key", version_id=settings.edge_key_version
            ),
            domain=Domain(settings.host("portal_url"), certificate) if certificate else None,
            firewall=firewall,
        ).distribution
        portal.publish(distribution)
        cdk.CfnOutput(self, "Target", key="PortalDomainTarget", value=distribution.distribution_domain_name)
