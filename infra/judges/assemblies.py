"""
The templates that are judged: one deployment of each profile, with everything that it can have.

``python -m infra.judges.assemblies NAME FOLDER`` writes one, with what cdk-nag says of it beside the templates.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.app import build, declared_context
from infra.judges.opinions import Finding
from infra.toolchain.stamp import ROOT

_CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
DEPLOYMENTS = {
    "small": {"keywright:profile": "small"},
    "large": {
        "keywright:profile": "large",
        "keywright:api_url": "https://api.example.com",
        "keywright:api_certificate": _CERTIFICATE,
        "keywright:portal_certificate": _CERTIFICATE,
        "keywright:firewall": "cloudfront",
        "keywright:backup_region": "us-west-2",
        "keywright:mail_identity": "create",
    },
}
_REPORT = "validation-report.json"


class SynthesisFailed(RuntimeError):
    """A deployment could not even be written."""


def synthesize_all(folder: Path) -> list[Finding]:
    """
    Write all deployments side by side, each in a folder of its own, and return what cdk-nag says.

    :raises SynthesisFailed: with what the synthesis said
    """
    # Processes of their own: cdk-nag prints each finding, and the library is one process per interpreter.
    command = [sys.executable, "-m", "infra.judges.assemblies"]
    running = {
        name: subprocess.Popen(
            [*command, name, str(folder / name)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name in DEPLOYMENTS
    }
    for name, process in running.items():
        said, _ = process.communicate()
        if not (folder / name / _REPORT).exists() or not templates(folder / name):
            raise SynthesisFailed(said)
    return [finding for name in DEPLOYMENTS for finding in _findings(folder / name / _REPORT, name)]


def templates(folder: Path) -> list[Path]:
    """Return every template below a folder."""
    return sorted(folder.rglob("*.template.json"))


def _synthesize(name: str, outdir: str) -> None:
    app = build({**declared_context(), **DEPLOYMENTS[name], "aws:cdk:bundling-stacks": []}, outdir=outdir)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    # It fails on findings; whether they count is decided by us, from the report that it writes first.
    with suppress(RuntimeError):
        app.synth()


def _findings(report: Path, deployment: str) -> Iterator[Finding]:
    for plugin in json.loads(report.read_text())["pluginReports"]:
        for violation in plugin["violations"]:
            if violation["severity"] == "error":
                for construct in violation["violatingConstructs"]:
                    yield Finding(str(violation["ruleName"]), f"{deployment}: {construct['constructPath']}")


if __name__ == "__main__":
    _synthesize(*sys.argv[1:])
