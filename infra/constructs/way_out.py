"""
The one small machine by which the functions of the small profile reach the world.

CloudFormation waits until it says that it translates addresses, and only then leads the functions to it: at the first
deployment, and when a newer one takes its place. A machine that could not set itself up stops the deployment.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

_HTTPS = ec2.Port.tcp(443)
# Proofs of domains are read from resolvers of others.
_DNS = (ec2.Port.udp(53), ec2.Port.tcp(53))
_READY_WITHIN = cdk.Duration.minutes(15)

# A machine's first minutes have other users of the package manager, who empty its cache: it is asked more than once.
# What is set here holds over a restart.
_SET_UP = """\
(
set -e
for attempt in $(seq 20); do dnf install -y iptables-services aws-cfn-bootstrap && break; sleep 10; done
echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-way-out.conf
sysctl -p /etc/sysctl.d/90-way-out.conf
systemctl enable --now iptables
iptables -F FORWARD
iptables -t nat -A POSTROUTING -o "$(ip -4 route show default | awk '{print $5; exit}')" -j MASQUERADE
iptables-save > /etc/sysconfig/iptables
)"""


def provider(region: str, image: str | None) -> ec2.NatInstanceProviderV2:
    """Describe the smallest machine there is, of a named image or of the newest of AWS's own Linux."""
    newest = ec2.MachineImage.latest_amazon_linux2023(cpu_type=ec2.AmazonLinuxCpuType.ARM_64)
    commands = ec2.UserData.for_linux()
    commands.add_commands(_SET_UP)
    return ec2.NatProvider.instance_v2(
        instance_type=ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.NANO),
        machine_image=ec2.MachineImage.generic_linux({region: image}) if image else newest,
        user_data=commands,
        credit_specification=ec2.CpuCredits.STANDARD,
        associate_public_ip_address=True,
        default_allowed_traffic=ec2.NatTrafficDirection.NONE,
    )


def finish(way_out: ec2.NatInstanceProviderV2, *, addresses: str) -> None:
    """Let the network's own addresses through, and have the machine, once it is there, say when it is ready."""
    _let_through(way_out, addresses)
    for gateway in way_out.gateway_instances:
        assert isinstance(gateway, ec2.Instance), "the provider makes instances"
        _wait_for(gateway)


def _let_through(way_out: ec2.NatInstanceProviderV2, addresses: str) -> None:
    """Let them reach the world over TLS; the machine itself may fetch its packages."""
    way_out.connections.allow_from(ec2.Peer.ipv4(addresses), _HTTPS, "From functions")
    way_out.connections.allow_to_any_ipv4(_HTTPS, "To Stripe and AWS")
    for port in _DNS:
        way_out.connections.allow_from(ec2.Peer.ipv4(addresses), port, "From functions")
        way_out.connections.allow_to_any_ipv4(port, "To resolvers")
    way_out.connections.allow_to_any_ipv4(ec2.Port.tcp(80), "To its own package source")


def _wait_for(gateway: ec2.Instance) -> None:
    machine = gateway.node.default_child
    assert isinstance(machine, ec2.CfnInstance), "an instance is made of one"
    stack = cdk.Stack.of(gateway)
    told = f"--stack {stack.stack_name} --resource {machine.logical_id} --region {stack.region}"
    gateway.user_data.add_commands(f"/opt/aws/bin/cfn-signal --exit-code $? {told}")
    machine.cfn_options.creation_policy = cdk.CfnCreationPolicy(
        resource_signal=cdk.CfnResourceSignal(count=1, timeout=_READY_WITHIN.to_iso_string())
    )
    machine.block_device_mappings = [
        ec2.CfnInstance.BlockDeviceMappingProperty(
            device_name="/dev/xvda",
            ebs=ec2.CfnInstance.EbsProperty(encrypted=True, volume_size=8, volume_type="gp3"),
        )
    ]
    # What a deployment states to keep this machine when AWS publishes a newer image.
    cdk.CfnOutput(stack, "WayOutImage", value=machine.image_id or "")
