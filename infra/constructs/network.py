"""
The private network: functions reach the database inside it, and Stripe and AWS through one way out.

The addresses that Stripe publishes are IPv4 only, so an egress-only gateway for IPv6, which costs nothing, does not
lead there. What does is a machine of ours that translates addresses, or AWS's gateway for ten times its price
(docs/cost.md).
"""

from __future__ import annotations

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.profiles import Profile, WayOut

ZONES = 2
_ADDRESSES = "10.0.0.0/16"
_HTTPS = ec2.Port.tcp(443)
# Proofs of domains are read from resolvers of others.
_DNS = (ec2.Port.udp(53), ec2.Port.tcp(53))


class Network(Construct):
    """A VPC over two availability zones, and the security group that all functions share."""

    def __init__(self, scope: Construct, name: str, *, profile: Profile) -> None:
        super().__init__(scope, name)
        self.nat_instance: ec2.NatInstanceProviderV2 | None = None
        if profile.way_out is WayOut.INSTANCE:
            self.nat_instance = _nat_instance()
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
            _let_through(self.nat_instance)
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


def _nat_instance() -> ec2.NatInstanceProviderV2:
    """Describe the smallest machine there is; AWS's own Linux, which the provider tells to translate addresses."""
    return ec2.NatProvider.instance_v2(
        instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.NANO),
        machine_image=ec2.MachineImage.latest_amazon_linux2023(cpu_type=ec2.AmazonLinuxCpuType.ARM_64),
        credit_specification=ec2.CpuCredits.STANDARD,
        associate_public_ip_address=True,
        default_allowed_traffic=ec2.NatTrafficDirection.NONE,
    )


def _let_through(way_out: ec2.NatInstanceProviderV2) -> None:
    """Let the network's own addresses reach the world over TLS; the machine itself may fetch its one package."""
    way_out.connections.allow_from(ec2.Peer.ipv4(_ADDRESSES), _HTTPS, "From functions")
    way_out.connections.allow_to_any_ipv4(_HTTPS, "To Stripe and AWS")
    for port in _DNS:
        way_out.connections.allow_from(ec2.Peer.ipv4(_ADDRESSES), port, "From functions")
        way_out.connections.allow_to_any_ipv4(port, "To resolvers")
    way_out.connections.allow_to_any_ipv4(ec2.Port.tcp(80), "To its own package source")
    for instance in way_out.gateway_instances:
        machine = instance.node.default_child
        assert isinstance(machine, ec2.CfnInstance), "an instance is made of one"
        machine.block_device_mappings = [
            ec2.CfnInstance.BlockDeviceMappingProperty(
                device_name="/dev/xvda",
                ebs=ec2.CfnInstance.EbsProperty(encrypted=True, volume_size=8, volume_type="gp3"),
            )
        ]
