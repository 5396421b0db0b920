"""The workflows: no stored secret, no long-lived key, and nothing deployed unchecked or unapproved."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from infra.app import declared_context
from infra.constructs.database import INSTANCE_PARAMETERS
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
    assert re.findall(r"\w+://(?!root:thrown-away-after-the-run@127\.0\.0\.1)", text) == []


@pytest.mark.parametrize(("job", "after"), [("staging", "check"), ("production", "staging")])
def test_a_deployment_waits_is_approved_by_its_environment_and_identified_by_oidc(job: str, after: str):
    deploy = _jobs("deploy")[job]

    assert deploy["needs"] == after
    assert deploy["environment"] == deploy["env"]["DEPLOYMENT"] == job
    assert deploy["permissions"]["id-token"] == "write"


def test_a_deployment_that_waits_for_its_approval_keeps_nobody_from_staging():
    workflow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())

    groups = {job: _jobs("deploy")[job]["concurrency"]["group"] for job in ("staging", "production")}

    assert "concurrency" not in workflow
    assert groups == {"staging": "deploy-staging", "production": "deploy-production"}


@pytest.mark.parametrize("job", ["staging", "production"])
def test_a_deployment_is_gradual_unless_somebody_asks_otherwise(job: str):
    (arguments,) = [
        step["env"]["CDK_ARGS"] for step in _jobs("deploy")[job]["steps"] if "CDK_ARGS" in step.get("env", {})
    ]

    assert "-c keywright:rollout=${{ inputs.rollout || 'gradual' }}" in arguments


def test_a_pull_requests_look_takes_no_role_that_deploys():
    """The CLI's own choice is a change set, by the role that deploys."""
    (arguments,) = [
        step["env"]["CDK_ARGS"] for step in _jobs("diff")["diff"]["steps"] if "CDK_ARGS" in step.get("env", {})
    ]

    assert arguments.startswith("--method template ")


@pytest.mark.parametrize(("workflow", "job"), [("deploy", "staging"), ("deploy", "production"), ("diff", "diff")])
def test_a_deployment_states_every_value_that_has_only_an_example_in_cdk_json(workflow: str, job: str):
    told = [step["env"] for step in _jobs(workflow)[job]["steps"] if "env" in step]
    (arguments,) = (environment["CDK_ARGS"] for environment in told if "CDK_ARGS" in environment)
    names = ["dns_resolvers", "dunning_policy", "product_family", "stripe_api_url", "usage_sink"]
    names += ["activation_days", "license_key_days", "license_key_lead_days"]
    same_everywhere = {f"{PREFIX}{name}" for name in names}
    own = {key for key in declared_context() if key.startswith(PREFIX)} - same_everywhere

    assert [key for key in sorted(own) if f"-c {key}=" not in arguments] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_variable_that_a_workflow_needs_stands_in_the_guide(workflow):
    guide = (ROOT / "docs/deploy.md").read_text()

    needed = re.findall(r"vars\.(\w+)", workflow.read_text())

    assert [name for name in needed if f"`{name}`" not in guide] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_pipe_fails_with_what_fails_in_it(workflow):
    """GitHub's own shell takes the last command's word for it; one that is named has ``pipefail``."""
    jobs = yaml.safe_load(workflow.read_text())["jobs"].values()

    assert [step["run"] for job in jobs for step in job.get("steps", []) if hides_failures(step)] == []


def test_a_pipe_that_hides_a_failure_is_noticed():
    assert hides_failures({"run": "make diff | tee diff.txt"})
    assert not hides_failures({"run": "make diff | tee diff.txt", "shell": "bash"})
    assert not hides_failures({"run": "make diff || true"})


def hides_failures(step: dict[str, Any]) -> bool:
    return re.search(r"[^|]\|[^|]", step.get("run", "")) is not None and step.get("shell") != "bash"


@pytest.mark.parametrize("job", ["staging", "production"])
def test_what_was_deployed_is_asked_at_once_whether_it_answers(job: str):
    *_, deploy, smoke = [step["run"] for step in _jobs("deploy")[job]["steps"] if "run" in step]

    assert deploy == "make deploy"
    assert smoke == '.venv/bin/python -m infra.cli smoke --api-url "$SMOKE_URL"'


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_an_exact_version(workflow):
    used = re.findall(r"uses: (\S+)", workflow.read_text())

    assert used
    assert [name for name in used if not re.fullmatch(r"\S+@v\d+\.\d+\.\d+|\./\S+", name)] == []


def test_the_tests_run_on_both_pythons_and_on_the_mysql_that_aurora_is_made_from():
    jobs = _jobs("check")

    assert jobs["check"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert jobs["mysql"]["services"]["mysql"]["image"].startswith("mysql:8.0.")
    assert jobs["mysql"]["steps"][-1]["run"] == "make test"
    assert jobs["mysql"]["steps"][-1]["env"]["DATABASE_URL"].startswith("mysql://")


@pytest.mark.parametrize("name", ["innodb_lock_wait_timeout", "transaction_isolation"])
def test_that_mysql_is_set_as_the_cluster_is_wherever_its_own_default_differs(name: str):
    told = " ".join(step["run"] for step in _jobs("check")["mysql"]["steps"] if "run" in step)

    assert f"{name} = {INSTANCE_PARAMETERS[name]}" in told.replace("'", "")


def test_a_look_at_the_account_for_a_pull_request_is_no_look_for_a_fork():
    (job,) = _jobs("diff").values()

    assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert next(step["run"] for step in job["steps"] if "run" in step).startswith("make diff")


def test_a_permission_that_no_test_uses_is_red():
    (command,) = [step["run"] for step in _jobs("check")["permissions"]["steps"] if "run" in step]

    assert command == "make permissions"


def test_the_check_runs_the_commands_that_a_developer_runs():
    commands = [step["run"] for step in _jobs("check")["check"]["steps"] if "run" in step]

    assert commands == ["make check", "make test", "make synth"]
