"""The private network: functions reach the database inside it, and Stripe and AWS through one NAT gateway."""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct


class Network(Construct):
    """A VPC over two availability zones, and the security group that all functions share."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            # Cost: a NAT gateway is billed by the hour, about 33 USD a month in us-east-1, plus traffic, and is the
            # largest fixed price of a small deployment. One serves both zones: if its zone fails, the functions of the
            # other cannot reach Stripe either, and what they missed is delivered again.
            nat_gateways=1,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24),
                ec2.SubnetConfiguration(name="Functions", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
                ec2.SubnetConfiguration(name="Database", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
            ],
        )
        self.functions = ec2.SecurityGroup(
            self, "FunctionsGroup", vpc=self.vpc, description="Keywright functions: outward only"
        )

    @property
    def function_subnets(self) -> ec2.SubnetSelection:
        """Return where functions run: no address of their own, and a way out."""
        return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)

    @property
    def database_subnets(self) -> ec2.SubnetSelection:
        """Return where the database runs: no way out."""
        return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
