"""The firewall as a stack of its own: AWS keeps what stands before CloudFront in one region, wherever the rest is."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from infra.constructs.firewall import Firewall

REGION = "us-east-1"


class FirewallStack(cdk.Stack):
    """One web ACL, to be named by the distribution that stands before the API."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name, description="Keywright: requests per address", env=cdk.Environment(region=REGION))
        Firewall(self, "Firewall")
