"""One synthesis of each profile for all tests here: without account, network or Docker, or the third-party layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.app import build, declared_context
from tests.infra.assembly import Assembly

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
LARGE = {
    "keywright:profile": "large",
    "keywright:api_url": "https://api.example.com",
    "keywright:api_certificate": CERTIFICATE,
    "keywright:portal_certificate": CERTIFICATE,
    "keywright:firewall": "cloudfront",
    "keywright:edge_key_version": "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
    "keywright:backup_region": "us-west-2",
    "keywright:mail_identity": "create",
}


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The deployment that cdk.json describes, which is a small one."""
    return _synthesize(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """A large deployment with everything that one can have."""
    return _synthesize(tmp_path_factory.mktemp("large"), **LARGE)


def _synthesize(directory: Path, **stated: str) -> Assembly:
    # CDK bundles the stacks that this list names.
    app = build({**declared_context(), **stated, "aws:cdk:bundling-stacks": []}, outdir=str(directory))
    app.synth()
    return Assembly.read(directory)
