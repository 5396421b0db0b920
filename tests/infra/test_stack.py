"""What the stack promises beyond the manifest: the database's settings, empty secrets, the order of a deployment."""

from __future__ import annotations

import json

import pytest

from infra.app import build, declared_context
from infra.constructs.secrets import FILLED_BY_OPERATOR
from infra.constructs.settings import PREFIX, MissingContext
from infra.manifest import CLIENT_RATE, CORS, FUNCTIONS
from tests.infra.assembly import Assembly

STATED = sorted(key for key in declared_context() if key.startswith(PREFIX))


@pytest.mark.parametrize("key", STATED)
@pytest.mark.parametrize("absent", [True, False])
def test_a_missing_or_empty_context_value_stops_the_synthesis_and_is_named(key: str, absent: bool, tmp_path):  # noqa: FBT001
    context = {name: value for name, value in declared_context().items() if name != key}
    if not absent:
        context[key] = ""

    with pytest.raises(MissingContext, match=f"'{key}'"):
        build(context, outdir=str(tmp_path))


def test_a_sender_that_is_no_address_stops_the_synthesis(tmp_path):
    context = {**declared_context(), "keywright:mail_from": "Licensing"}

    with pytest.raises(MissingContext, match="mail_from"):
        build(context, outdir=str(tmp_path))


def test_the_functions_are_told_the_values_of_the_context(assembly: Assembly):
    context = declared_context()
    made_by_the_stack = {"API_URL", "EVENT_BUS", "MAIL_CONFIGURATION_SET"}

    for function in FUNCTIONS:
        for setting in set(function.settings) - made_by_the_stack:
            told = assembly.environment(function.name)[f"KEYWRIGHT_{setting}"]
            assert told == context[f"keywright:{setting.lower()}"]


def test_without_a_domain_of_its_own_the_api_is_known_by_the_address_that_aws_assigns(assembly: Assembly):
    (api,) = assembly.of_type("AWS::ApiGatewayV2::Api")

    assert assembly.environment("auth")["KEYWRIGHT_API_URL"] == {"Fn::GetAtt": [api, "ApiEndpoint"]}


def test_the_database_is_encrypted_private_protected_and_can_pause(assembly: Assembly):
    (cluster,) = assembly.of_type("AWS::RDS::DBCluster").values()
    (writer,) = assembly.of_type("AWS::RDS::DBInstance").values()

    assert cluster["Properties"]["StorageEncrypted"] is True
    assert cluster["Properties"]["DeletionProtection"] is True
    assert cluster["DeletionPolicy"] == "Snapshot"
    assert cluster["Properties"]["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0
    assert writer["Properties"]["PubliclyAccessible"] is False


def test_the_server_settings_are_those_that_the_code_relies_on(assembly: Assembly):
    (cluster,) = assembly.of_type("AWS::RDS::DBClusterParameterGroup").values()
    (writer,) = assembly.of_type("AWS::RDS::DBParameterGroup").values()

    assert cluster["Properties"]["Parameters"]["time_zone"] == "UTC"
    assert cluster["Properties"]["Parameters"]["require_secure_transport"] == "ON"
    assert writer["Properties"]["Parameters"]["transaction_isolation"] == "READ-COMMITTED"
    assert "STRICT_TRANS_TABLES" in writer["Properties"]["Parameters"]["sql_mode"]


def test_the_template_holds_no_secret_value(assembly: Assembly):
    secrets = assembly.of_type("AWS::SecretsManager::Secret")

    assert [name for name, secret in secrets.items() if "SecretString" in secret["Properties"]] == []
    by_operator = [secret for secret in secrets.values() if "GenerateSecretString" not in secret["Properties"]]
    assert [secret["DeletionPolicy"] for secret in by_operator] == ["Retain"] * len(FILLED_BY_OPERATOR)


def test_no_function_takes_new_code_before_the_migration_has_run(assembly: Assembly):
    (migration,) = assembly.of_type("Custom::Trigger")

    waiting = {name for name, resource in assembly.functions().items() if migration in resource["DependsOn"]}

    assert waiting == {function.name for function in FUNCTIONS} - {"migrate"}


def test_the_migration_waits_for_the_database(assembly: Assembly):
    (migration,) = assembly.of_type("Custom::Trigger").values()
    (writer,) = assembly.of_type("AWS::RDS::DBInstance")

    assert writer in migration["DependsOn"]


def test_every_log_ends(assembly: Assembly):
    logs = assembly.of_type("AWS::Logs::LogGroup").values()

    assert len(logs) == len(FUNCTIONS) + 1  # that of the API's requests
    assert all(log["Properties"]["RetentionInDays"] for log in logs)


def test_the_stage_is_throttled(assembly: Assembly):
    (stage,) = assembly.of_type("AWS::ApiGatewayV2::Stage").values()

    assert stage["Properties"]["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 400, "ThrottlingRateLimit": 200}


def test_pages_of_stated_origins_may_call_the_api_as_the_manifest_says(assembly: Assembly):
    (api,) = assembly.of_type("AWS::ApiGatewayV2::Api").values()

    cors = api["Properties"]["CorsConfiguration"]

    assert cors["AllowOrigins"] == declared_context()["keywright:cors_origins"].split(",")
    assert (cors["AllowMethods"], cors["AllowHeaders"]) == (list(CORS.methods), list(CORS.request_headers))
    assert cors.get("AllowCredentials") is None


def test_costly_routes_have_the_rates_of_the_manifest(assembly: Assembly):
    (stage,) = assembly.of_type("AWS::ApiGatewayV2::Stage").values()
    rates = {
        f"{route.method} {route.path}": {
            "ThrottlingRateLimit": route.rate.per_s,
            "ThrottlingBurstLimit": route.rate.burst,
        }
        for function in FUNCTIONS
        for route in function.routes
        if route.rate
    }

    assert stage["Properties"]["RouteSettings"] == rates
    assert set(assembly.of_type("AWS::ApiGatewayV2::Route")) <= set(stage["DependsOn"])


@pytest.mark.parametrize("origins", ["*", "https://a.example.com,*", "a.example.com", "https://*.example.com"])
def test_a_deployment_that_opens_the_api_to_everybody_is_stopped(origins: str, tmp_path):
    with pytest.raises(MissingContext, match="cors_origins"):
        build({**declared_context(), "keywright:cors_origins": origins}, outdir=str(tmp_path))


def test_a_firewall_counts_each_address_by_the_manifest_and_leaves_stripe_alone(tmp_path):
    context = {**declared_context(), "keywright:firewall": "cloudfront", "aws:cdk:bundling-stacks": []}

    build(context, outdir=str(tmp_path)).synth()

    template = json.loads((tmp_path / "keywright-staging-firewall.template.json").read_text())
    (acl,) = (part for part in template["Resources"].values() if part["Type"] == "AWS::WAFv2::WebACL")
    (rule,) = acl["Properties"]["Rules"]
    rate = rule["Statement"]["RateBasedStatement"]
    assert (rate["Limit"], rate["EvaluationWindowSec"]) == (CLIENT_RATE.requests, CLIENT_RATE.window_s)
    assert rate["ScopeDownStatement"]["NotStatement"]["Statement"]["ByteMatchStatement"]["SearchString"] == (
        "/v1/webhooks/"
    )
    assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429


def test_a_firewall_that_is_neither_wanted_nor_not_stops_the_synthesis(tmp_path):
    with pytest.raises(MissingContext, match="firewall"):
        build({**declared_context(), "keywright:firewall": "yes"}, outdir=str(tmp_path))
