"""What functions are told is judged before anything is deployed: each sort of mistake stops the synthesis."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, make_dataclass, replace
from typing import Any

import pytest

from infra.app import build, declared_context
from infra.constructs.packaging import ROOT
from infra.constructs.settings import MissingContext
from infra.constructs.stated import judged
from infra.environments import faults, settings_of, variables_of
from infra.local.values import function_values
from infra.manifest import FUNCTIONS, Function, Queue, Secret
from keywright.platform.kinds import Address, Days, SecretId

LOCAL = function_values(
    aws_url="http://127.0.0.1:4566",
    api_url="http://127.0.0.1:8000",
    portal_url="http://127.0.0.1:8080",
    stripe_api_url="http://127.0.0.1:12111",
    dns_resolvers="127.0.0.1:5353",
) | {f"KEYWRIGHT_{queue}_QUEUE_URL": f"http://127.0.0.1:9324/123456789012/{queue.lower()}" for queue in Queue}

ENTRY = Function("lamp", "Made up.", secrets=(Secret.DATABASE, Secret.EDGE), settings=("API_URL",))
TOLD = {"KEYWRIGHT_API_URL": "https://api.example.test", "KEYWRIGHT_DATABASE_SECRET": "keywright/DATABASE"}


@dataclass(frozen=True, kw_only=True)
class Settings:
    api_url: Address
    database_secret: SecretId
    edge_secret: SecretId | None = None


@dataclass(frozen=True, kw_only=True)
class Greedy(Settings):
    activation_days: Days


@dataclass(frozen=True, kw_only=True)
class Strict:
    api_url: Address
    database_secret: SecretId
    edge_secret: SecretId


Poor = make_dataclass("Poor", [("database_secret", SecretId), ("edge_secret", SecretId | None, None)], frozen=True)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
def test_the_values_of_this_machine_are_what_each_function_wants(function: Function):
    told = {name: LOCAL[name] for name in variables_of(function) if name in LOCAL}

    assert faults(function, told) == []


def test_what_agrees_in_every_way_is_not_complained_of():
    assert faults(ENTRY, TOLD, settings=Settings) == []
    assert faults(ENTRY, {**TOLD, "KEYWRIGHT_EDGE_SECRET": "keywright/EDGE"}, settings=Settings) == []


@pytest.mark.parametrize(
    ("entry", "settings", "fault"),
    [
        (ENTRY, Poor, "The manifest gives it KEYWRIGHT_API_URL, which is no field of its settings."),
        (
            ENTRY,
            Greedy,
            "Its settings have a field for KEYWRIGHT_ACTIVATION_DAYS, which the manifest does not give it.",
        ),
        (
            replace(ENTRY, secrets=(Secret.DATABASE,)),
            Settings,
            "Its settings have a field for KEYWRIGHT_EDGE_SECRET, which the manifest does not give it.",
        ),
        (ENTRY, Strict, "Its settings and the manifest differ in whether KEYWRIGHT_EDGE_SECRET may be left out."),
    ],
    ids=["the-class-lacks-one", "the-manifest-forgets-one", "the-manifest-forgets-a-secret", "only-one-may-lack-it"],
)
def test_a_class_and_a_manifest_that_differ_are_noticed(entry: Function, settings: type[Any], fault: str):
    assert faults(entry, TOLD, settings=settings) == [f"The function 'lamp': {fault}"]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "The variable KEYWRIGHT_API_URL is not set."),
        ("api", "The variable KEYWRIGHT_API_URL is not an http or https address without a slash at its end."),
    ],
)
def test_a_value_that_is_empty_or_wrong_is_noticed(value: str, fault: str):
    told = {**TOLD, "KEYWRIGHT_API_URL": value}

    assert faults(ENTRY, told, settings=Settings) == [f"The function 'lamp': {fault}"]


WRONG = {
    "activation_days": "thirty",
    "api_url": "api.example.com",
    "deployment": "two words",
    "dns_resolvers": "1.1.1.1,dns.example.com",
    "dunning_policy": "NEVER",
    "event_bus": "two words",
    "license_key_days": "0",
    "license_key_lead_days": "a quarter",
    "mail_from": "Licensing",
    "portal_return_urls": "*",
    "portal_url": "https://portal.example.com/?page=1",
    "product_family": "self hosted",
    "stripe_api_url": "stripe",
    "usage_sink": "carrier-pigeon",
}
STATED = sorted({name.lower() for function in FUNCTIONS for name in function.settings} - {"mail_configuration_set"})


@pytest.mark.parametrize("name", STATED)
@pytest.mark.parametrize("mistake", ["missing", "empty", "malformed"])
def test_a_setting_that_is_missing_or_wrong_stops_the_synthesis_in_one_line(name: str, mistake: str, tmp_path):
    context = declared_context()
    context[f"keywright:{name}"] = WRONG[name] if mistake == "malformed" else ""
    if mistake == "missing":
        del context[f"keywright:{name}"]

    with pytest.raises(MissingContext) as stopped:
        build(context, outdir=str(tmp_path))

    line = str(stopped.value)
    told = [function.name for function in FUNCTIONS if name.upper() in function.settings]
    assert f"The variable KEYWRIGHT_{name.upper()} is not " in line
    assert f"'keywright:{name}'" in line
    assert any(f"'{function}'" in line for function in told)
    assert "\n" not in line


def test_a_key_that_is_published_after_it_signs_stops_the_synthesis(tmp_path):
    context = {**declared_context(), "keywright:license_key_lead_days": "365"}

    with pytest.raises(MissingContext, match="LEAD_DAYS is not less than KEYWRIGHT_LICENSE_KEY_DAYS"):
        build(context, outdir=str(tmp_path))


@pytest.mark.parametrize("name", sorted(variables_of(next(each for each in FUNCTIONS if each.name == "job_worker"))))
def test_a_template_that_forgets_a_variable_stops_the_synthesis(name: str):
    worker = next(function for function in FUNCTIONS if function.name == "job_worker")
    environment = {each: LOCAL[each] for each in variables_of(worker) if each != name}

    with pytest.raises(MissingContext, match=f"'job_worker': The variable {name} is not set"):
        judged(worker, environment)


def test_a_reference_counts_as_present():
    worker = next(function for function in FUNCTIONS if function.name == "mail_feedback")

    assert judged(worker, {"KEYWRIGHT_DATABASE_SECRET": "${Token[Database.1]}"}) != {}


def test_the_operator_reads_one_line_and_no_traceback(tmp_path):
    """As the toolkit runs it: the context comes in a variable, and wins over cdk.json."""
    context = '{"keywright:activation_days": "thirty"}'
    environment = {**os.environ, "PYTHONPATH": "", "CDK_CONTEXT_JSON": context, "CDK_OUTDIR": str(tmp_path)}

    run = subprocess.run(
        [sys.executable, "-m", "infra.app"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    told = [line for line in run.stderr.splitlines() if "keywright" in line.lower()]
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert len(told) == 1
    assert told[0].startswith("The function 'licenses': The variable KEYWRIGHT_ACTIVATION_DAYS is not a whole number")
    assert told[0].endswith("Set 'keywright:activation_days' in cdk.json or pass -c NAME=VALUE.")


def test_a_settings_class_is_found_for_every_function():
    assert {settings_of(function).__module__ for function in FUNCTIONS} == {
        f"functions.{function.name}.settings" for function in FUNCTIONS
    }
