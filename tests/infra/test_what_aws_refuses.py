"""
What CloudFormation or a service would refuse or leave undone, though every judge of templates lets it pass.

Each of these was learned from the services' own documentation; nothing here is a matter of taste.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from infra.app import build, declared_context
from tests.infra.assembly import Assembly, as_list
from tests.infra.conftest import CERTIFICATE

Template = dict[str, Any]

# AWS::SecretsManager::SecretTargetAttachment: whatever else is "Unsupported target type".
ATTACHABLE = {
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBCluster",
    "AWS::Redshift::Cluster",
    "AWS::RedshiftServerless::Namespace",
    "AWS::DocDB::DBInstance",
    "AWS::DocDB::DBCluster",
    "AWS::DocDBElastic::Cluster",
}
# What has its own name rather than a generated one, and may not be there twice in an account and region.
NAMED = {
    "AWS::RDS::DBProxy": "DBProxyName",
    "AWS::Events::EventBus": "Name",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::Backup::BackupVault": "BackupVaultName",
}


@pytest.fixture(params=["assembly", "large"])
def deployed(request: pytest.FixtureRequest) -> Assembly:
    found: Assembly = request.getfixturevalue(request.param)
    return found


def of_type(template: Template, kind: str) -> dict[str, Any]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def mute_topics(template: Template) -> list[str]:
    """Return the topics of alarms whose policy, which replaces SNS's own, lets no alarm speak."""
    asked = {
        action["Ref"]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        for action in alarm["Properties"]["AlarmActions"]
    }
    policies = [each["Properties"] for each in of_type(template, "AWS::SNS::TopicPolicy").values()]
    replaced = {topic["Ref"] for policy in policies for topic in policy["Topics"]}
    heard = {
        topic["Ref"]
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        and "sns:Publish" in as_list(statement["Action"])
        and statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        for topic in policy["Topics"]
    }
    return sorted((asked & replaced) - heard)


def test_an_alarm_is_allowed_to_speak_to_its_topic(deployed: Assembly):
    assert of_type(deployed.template, "AWS::SNS::TopicPolicy")
    assert mute_topics(deployed.template) == []


def test_a_policy_that_only_forbids_is_noticed(assembly: Assembly):
    sabotaged = copy.deepcopy(assembly.template)
    (policy,) = of_type(sabotaged, "AWS::SNS::TopicPolicy").values()
    document = policy["Properties"]["PolicyDocument"]
    document["Statement"] = [each for each in document["Statement"] if each["Effect"] == "Deny"]

    assert mute_topics(sabotaged) == list(of_type(sabotaged, "AWS::SNS::Topic"))


def before_their_alias(template: Template) -> list[str]:
    """Return what names an alias as plain text and could so be made before it is there."""
    aliases = {
        each["Properties"]["FunctionName"]["Ref"]: name
        for name, each in of_type(template, "AWS::Lambda::Alias").items()
    }
    return [
        name
        for name, each in of_type(template, "AWS::Lambda::EventInvokeConfig").items()
        if aliases[each["Properties"]["FunctionName"]["Ref"]] not in each["DependsOn"]
    ]


def test_what_speaks_of_an_alias_waits_for_it(deployed: Assembly):
    assert of_type(deployed.template, "AWS::Lambda::EventInvokeConfig")
    assert before_their_alias(deployed.template) == []


def test_what_does_not_wait_for_its_alias_is_noticed(assembly: Assembly):
    sabotaged = copy.deepcopy(assembly.template)
    name, hasty = next(iter(of_type(sabotaged, "AWS::Lambda::EventInvokeConfig").items()))
    hasty["DependsOn"] = [each for each in hasty["DependsOn"] if "Live" not in each]

    assert before_their_alias(sabotaged) == [name]


def test_a_secret_is_attached_to_what_secrets_manager_knows(deployed: Assembly):
    attached = {
        each["Properties"]["TargetType"]
        for each in of_type(deployed.template, "AWS::SecretsManager::SecretTargetAttachment").values()
    }

    assert attached
    assert attached <= ATTACHABLE


def shared_names(template: Template, deployment: str) -> list[str]:
    """Return the resources that a second deployment in the account could not have as well."""
    return [
        name
        for kind, key in NAMED.items()
        for name, each in of_type(template, kind).items()
        if key in each["Properties"] and deployment not in json.dumps(each["Properties"][key])
    ]


def test_two_deployments_fit_into_one_account(deployed: Assembly):
    assert shared_names(deployed.template, "staging") == []


def test_a_name_that_all_deployments_would_share_is_noticed():
    template = {"Resources": {"Pool": {"Type": "AWS::RDS::DBProxy", "Properties": {"DBProxyName": "Proxy"}}}}

    assert shared_names(template, "staging") == ["Pool"]


def exports(assembly: Assembly) -> set[str]:
    """Return the names that other stacks may import; CloudFormation withdraws none that is in use."""
    outputs = assembly.template["Outputs"].values()
    return {output["Export"]["Name"] for output in outputs if "Export" in output}


def test_a_deployment_may_change_its_host_its_size_and_its_firewall_later(assembly: Assembly, large: Assembly):
    """The stack of the functions is updated before the one that imports from it, which still has the old values."""
    assert exports(assembly)
    assert exports(assembly) == exports(large)


def test_a_host_of_the_apis_own_withdraws_nothing_either(assembly: Assembly, tmp_path):
    stated = {"keywright:api_url": "https://api.example.com", "keywright:api_certificate": CERTIFICATE}

    build({**declared_context(), **stated, "aws:cdk:bundling-stacks": []}, outdir=str(tmp_path)).synth()

    assert exports(assembly) <= exports(Assembly.read(tmp_path))
