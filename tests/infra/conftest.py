"""One synthesis for all tests here: without account, network or Docker, and without the third-party layer's content."""

from __future__ import annotations

import pytest

from infra.app import build, declared_context
from tests.infra.assembly import Assembly


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    directory = tmp_path_factory.mktemp("cdk")
    # CDK bundles the stacks that this list names.
    app = build({**declared_context(), "aws:cdk:bundling-stacks": []}, outdir=str(directory))
    app.synth()
    return Assembly.read(directory)
