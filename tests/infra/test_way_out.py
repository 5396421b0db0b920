"""The one machine of the small profile: functions are led to it only once it translates, and it stays until asked."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.app import build, declared_context
from tests.infra.assembly import Assembly

PROGRAMS = ("sysctl", "systemctl", "iptables", "iptables-save", "sleep", "cfn-signal")
IMAGE = "ami-0123456789abcdef0"


def machine(assembly: Assembly) -> tuple[str, dict[str, Any]]:
    ((name, found),) = assembly.of_type("AWS::EC2::Instance").items()
    return name, found


def script(assembly: Assembly, root: Path) -> str:
    """Return what the machine runs, with a folder of ours in the place of its own and the stack's name filled in."""
    _, found = machine(assembly)
    written = found["Properties"]["UserData"]["Fn::Base64"]
    text = written if isinstance(written, str) else "".join(map(str, written["Fn::Join"][1]))
    return text.replace("/etc/", f"{root}/etc/").replace("/opt/aws/bin/", f"{root}/bin/")


def run(assembly: Assembly, root: Path, *, dnf: str) -> list[str]:
    """Run it with stand-ins that note how they were called, and return what they noted."""
    for folder in ("etc/sysctl.d", "etc/sysconfig", "bin"):
        (root / folder).mkdir(parents=True)
    called = root / "called"
    note = f'echo "$(basename "$0") $*" >> {called}'
    programs = {**dict.fromkeys(PROGRAMS, note), "dnf": f"{note}; {dnf}", "ip": "echo default via 10.0.0.1 dev ens5"}
    for name, body in programs.items():
        program = root / "bin" / name
        program.write_text(f"#!/bin/bash\n{body}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {"PATH": f"{root / 'bin'}:/usr/bin:/bin"}
    subprocess.run(["bash", "-c", script(assembly, root)], env=environment, check=True, capture_output=True)
    return called.read_text().splitlines()


def test_the_machine_translates_addresses_and_says_that_it_does(assembly: Assembly, tmp_path):
    name, _ = machine(assembly)

    *set_up, signal = run(assembly, tmp_path, dnf="exit 0")

    assert "iptables -t nat -A POSTROUTING -o ens5 -j MASQUERADE" in set_up
    assert (tmp_path / "etc/sysctl.d/90-way-out.conf").read_text() == "net.ipv4.ip_forward=1\n"
    assert signal == f"cfn-signal --exit-code 0 --stack keywright-staging --resource {name} --region us-east-1"


def test_a_package_manager_that_others_use_at_first_is_asked_again(assembly: Assembly, tmp_path):
    twice = f"[ $(grep -c ^dnf {tmp_path}/called) -ge 3 ]"

    *_, signal = run(assembly, tmp_path, dnf=twice)

    assert signal.startswith("cfn-signal --exit-code 0 ")


def test_a_machine_that_cannot_set_itself_up_stops_the_deployment(assembly: Assembly, tmp_path):
    """Nothing may be led to it: its functions would reach neither their secrets nor Stripe."""
    broken = f"rm -f {tmp_path}/bin/systemctl; exit 1"

    *_, signal = run(assembly, tmp_path, dnf=broken)

    assert re.match(r"cfn-signal --exit-code [1-9]", signal)


def test_functions_are_led_to_the_machine_once_it_is_ready(assembly: Assembly):
    name, found = machine(assembly)
    led = [
        route["Properties"]["InstanceId"]
        for route in assembly.of_type("AWS::EC2::Route").values()
        if "InstanceId" in route["Properties"]
    ]

    assert found["CreationPolicy"] == {"ResourceSignal": {"Count": 1, "Timeout": "PT15M"}}
    assert led == [{"Ref": name}] * 2


def test_an_image_that_is_stated_stays(tmp_path):
    stated = {"keywright:way_out_image": IMAGE, "aws:cdk:bundling-stacks": []}

    build({**declared_context(), **stated}, outdir=str(tmp_path)).synth()

    _, found = machine(Assembly.read(tmp_path))
    assert found["Properties"]["ImageId"] == IMAGE


def test_the_deployment_says_which_image_to_state(assembly: Assembly):
    _, found = machine(assembly)

    assert assembly.template["Outputs"]["WayOutImage"]["Value"] == found["Properties"]["ImageId"]


@pytest.mark.parametrize("metric", ["StatusCheckFailed"])
def test_a_machine_that_was_stopped_or_is_gone_is_noticed_though_it_says_nothing(assembly: Assembly, metric: str):
    (alarm,) = [
        each["Properties"]
        for each in assembly.of_type("AWS::CloudWatch::Alarm").values()
        if each["Properties"].get("MetricName") == metric
    ]

    assert alarm["TreatMissingData"] == "breaching"
