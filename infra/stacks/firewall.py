"""The firewall as a stack of its own: AWS keeps what stands before CloudFront in one region, wherever the rest is."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from infra.constructs.firewall import Firewall
from infra.constructs.settings import EDGE_REGION


class FirewallStack(cdk.Stack):
    """One web ACL, which the distribution names."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(
            scope,
            name,
            description="Keywright: requests per address",
            env=cdk.Environment(region=EDGE_REGION),
            cross_region_references=True,
        )
        self.acl_arn = Firewall(self, "Firewall").acl_arn
