"""The workflows: no stored secret, no long-lived key, and nothing deployed unchecked or unapproved."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from infra.app import declared_context
from infra.constructs.packaging import ROOT
from infra.constructs.settings import PREFIX

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def _jobs(name: str) -> dict[str, Any]:
    jobs: dict[str, Any] = yaml.safe_load((ROOT / f".github/workflows/{name}.yml").read_text())["jobs"]
    return jobs


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_uses_no_stored_secret_and_no_registry_address(workflow):
    text = workflow.read_text()

    assert "secrets." not in text
    assert "aws-access-key" not in text
    assert "://" not in text


@pytest.mark.parametrize(("job", "after"), [("staging", "check"), ("production", "staging")])
def test_a_deployment_waits_is_approved_by_its_environment_and_identified_by_oidc(job: str, after: str):
    deploy = _jobs("deploy")[job]

    assert deploy["needs"] == after
    assert deploy["environment"] == deploy["env"]["DEPLOYMENT"] == job
    assert deploy["permissions"]["id-token"] == "write"


@pytest.mark.parametrize("job", ["staging", "production"])
def test_a_deployment_states_every_value_that_has_only_an_example_in_cdk_json(job: str):
    (arguments,) = (step["env"]["CDK_ARGS"] for step in _jobs("deploy")[job]["steps"] if "env" in step)
    names = ("dns_resolvers", "dunning_policy", "product_family", "stripe_api_url")
    same_everywhere = {f"{PREFIX}{name}" for name in names}
    own = {key for key in declared_context() if key.startswith(PREFIX)} - same_everywhere

    assert [key for key in sorted(own) if f"-c {key}=" not in arguments] == []


def test_the_check_runs_the_commands_that_a_developer_runs():
    commands = [step["run"] for step in _jobs("check")["check"]["steps"] if "run" in step]

    assert commands == ["make check", "make test", "make synth"]
