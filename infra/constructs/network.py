"""
The private network: functions reach the database inside it, and Stripe and AWS through one way out.

The addresses that Stripe publishes are IPv4 only, so an egress-only gateway for IPv6, which costs nothing, does not
lead there. What does is a machine of ours that translates addresses, or AWS's gateway for ten times its price
(docs/cost.md).
"""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.constructs import way_out
from infra.profiles import Profile, WayOut

ZONES = 2
_ADDRESSES = "10.0.0.0/16"
_HTTPS = ec2.Port.tcp(443)
# Proofs of domains are read from resolvers of others.
_DNS = (ec2.Port.udp(53), ec2.Port.tcp(53))


class Network(Construct):
    """A VPC over two availability zones, and the security group that all functions share."""

    def __init__(self, scope: Construct, name: str, *, profile: Profile, region: str, image: str | None) -> None:
        super().__init__(scope, name)
        self.nat_instance: ec2.NatInstanceProviderV2 | None = None
        if profile.way_out is WayOut.INSTANCE:
            self.nat_instance = way_out.provider(region, image)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(_ADDRESSES),
            max_azs=ZONES,
            # The small profile shares one way out: if its zone fails, the functions of the other zone cannot reach
            # Stripe either, and what they missed is delivered again.
            nat_gateways=1 if self.nat_instance else ZONES,
            nat_gateway_provider=self.nat_instance,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="Functions", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
                ec2.SubnetConfiguration(name="Database", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
            ],
        )
        if self.nat_instance:
            way_out.finish(self.nat_instance, addresses=_ADDRESSES)
        self.functions = ec2.SecurityGroup(
            self,
            "FunctionsGroup",
            vpc=self.vpc,
            description="Keywright functions: outward only",
            allow_all_outbound=False,
        )
        self.functions.add_egress_rule(ec2.Peer.any_ipv4(), _HTTPS, "To Stripe and AWS")
        for port in _DNS:
            self.functions.add_egress_rule(ec2.Peer.any_ipv4(), port, "To resolvers")

    @property
    def function_subnets(self) -> ec2.SubnetSelection:
        """Return where functions run: no address of their own, and a way out."""
        return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)

    @property
    def database_subnets(self) -> ec2.SubnetSelection:
        """Return where the database runs: no way out."""
        return ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
