"""What the profiles promise: the connections there are, who survives what, the edge, and how new code takes over."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from infra.app import build, declared_context
from infra.constructs.distribution import API_PATHS, EDGE_HEADER
from infra.constructs.settings import MissingContext
from infra.manifest import API_RATE, FUNCTIONS, Function, QueueTrigger
from infra.profiles import LARGE, PROFILES, SMALL, Profile
from tests.infra.assembly import Assembly
from tests.infra.conftest import LARGE as stated_for_the_large_one  # noqa: N811  (the profile has that name)

# CloudFormation takes 500. A stack that comes near has to be parted before a deployment fails.
MOST_RESOURCES = 470
# While new code takes over, the containers of both versions hold a connection.
VERSIONS = 2


def connections_wanted(functions: tuple[Function, ...]) -> int:
    """Return how many connections all functions can hold at once: one each, in both versions of the workers."""
    workers = sum(each.trigger.maximum_concurrency for each in functions if each.trigger)
    scheduled = sum(1 for each in functions if not each.routes and not each.trigger)
    return API_RATE.burst + VERSIONS * (workers + scheduled)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_all_functions_together_hold_fewer_connections_than_the_database_takes(profile: Profile):
    assert connections_wanted(FUNCTIONS) <= profile.connections * 9 // 10


def test_a_worker_that_would_take_all_connections_is_noticed():
    greedy = Function("greedy", "", trigger=QueueTrigger(next(iter(_queues())), 1, maximum_concurrency=1000))

    assert connections_wanted((*FUNCTIONS, greedy)) > SMALL.connections


def _queues() -> list[Any]:
    return [each.trigger.queue for each in FUNCTIONS if each.trigger]


@pytest.mark.parametrize(("which", "profile"), [("assembly", SMALL), ("large", LARGE)])
def test_the_server_is_told_what_the_profile_says(which: str, profile: Profile, request: pytest.FixtureRequest):
    assembly = request.getfixturevalue(which)
    (cluster,) = assembly.of_type("AWS::RDS::DBCluster").values()

    parameters = [
        group["Properties"]["Parameters"] for group in assembly.of_type("AWS::RDS::DBParameterGroup").values()
    ]

    assert {each["max_connections"] for each in parameters} == {str(profile.connections)}
    assert {each["wait_timeout"] for each in parameters} == {str(profile.idle_s)}
    assert {each["transaction_isolation"] for each in parameters} == {"READ-COMMITTED"}
    assert len(assembly.of_type("AWS::RDS::DBInstance")) == 1 + profile.readers
    scaling = cluster["Properties"]["ServerlessV2ScalingConfiguration"]
    assert (scaling["MinCapacity"], scaling["MaxCapacity"]) == (profile.least_capacity, profile.most_capacity)
    assert scaling.get("SecondsUntilAutoPause") == profile.pauses_after_s
    assert cluster["Properties"]["BackupRetentionPeriod"] == profile.backup_days


def test_the_small_profile_has_one_machine_for_a_way_out_and_the_large_one_a_gateway_in_each_zone(
    assembly: Assembly, large: Assembly
):
    (machine,) = assembly.of_type("AWS::EC2::Instance").values()

    assert machine["Properties"]["InstanceType"] == "t4g.nano"
    assert assembly.of_type("AWS::EC2::NatGateway") == {}
    assert len(large.of_type("AWS::EC2::NatGateway")) == 2
    assert large.of_type("AWS::EC2::Instance") == {}


def test_only_functions_and_nobody_outside_reach_the_way_out_and_the_database(assembly: Assembly, large: Assembly):
    for which in (assembly, large):
        groups = which.of_type("AWS::EC2::SecurityGroup").values()
        rules = [rule for group in groups for rule in group["Properties"].get("SecurityGroupIngress", [])]
        rules += [each["Properties"] for each in which.of_type("AWS::EC2::SecurityGroupIngress").values()]

        assert rules
        assert [rule for rule in rules if rule.get("CidrIp") not in {None, "10.0.0.0/16"}] == []
        assert all(
            each["Properties"]["PubliclyAccessible"] is False for each in which.of_type("AWS::RDS::DBInstance").values()
        )


def test_functions_of_the_large_profile_reach_the_database_through_the_pool(large: Assembly):
    (pool,) = large.of_type("AWS::RDS::DBProxy").values()
    (name,) = large.of_type("AWS::RDS::DBProxy")
    (signs_in,) = pool["Properties"]["Auth"]
    secrets = large.of_type("AWS::SecretsManager::Secret")

    read = large.environment("auth")["KEYWRIGHT_DATABASE_SECRET"]["Ref"]

    assert pool["Properties"]["RequireTLS"] is True
    said = json.dumps(secrets[read]["Properties"]["SecretString"])
    assert name in said
    assert f'{{"Ref": "{signs_in["SecretArn"]["Ref"]}"}}' in said
    assert "SecretString:password" in said


def test_functions_of_the_small_profile_reach_the_database_itself(assembly: Assembly):
    (attachment,) = [
        each["Properties"]
        for name, each in assembly.of_type("AWS::SecretsManager::SecretTargetAttachment").items()
        if assembly.environment("auth")["KEYWRIGHT_DATABASE_SECRET"] == {"Ref": name}
    ]

    assert attachment["TargetType"] == "AWS::RDS::DBCluster"


def test_passwords_are_renewed_once_the_migration_has_made_their_users(assembly: Assembly):
    (migration,) = assembly.of_type("Custom::Trigger")
    schedules = assembly.of_type("AWS::SecretsManager::RotationSchedule").values()

    assert len(schedules) == 2
    assert all(migration in schedule["DependsOn"] for schedule in schedules)
    assert {schedule["Properties"]["RotateImmediatelyOnUpdate"] for schedule in schedules} == {False}


def test_versions_that_were_replaced_do_not_pile_up(large: Assembly):
    """Lambda bills the snapshot of each version for as long as it exists."""
    versions = large.of_type("AWS::Lambda::Version").values()

    assert len(versions) == len(FUNCTIONS)
    assert {version.get("DeletionPolicy", "Delete") for version in versions} == {"Delete"}


def test_new_code_takes_a_tenth_first_and_goes_back_if_an_alarm_rings(assembly: Assembly):
    groups = assembly.of_type("AWS::CodeDeploy::DeploymentGroup").values()
    aliases = assembly.of_type("AWS::Lambda::Alias").values()

    assert len(groups) == len(FUNCTIONS) - 1
    for group in groups:
        assert group["Properties"]["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent15Minutes"
        assert group["Properties"]["AutoRollbackConfiguration"]["Enabled"] is True
        assert len(group["Properties"]["AlarmConfiguration"]["Alarms"]) == 2
    shifted = [alias for alias in aliases if "CodeDeployLambdaAliasUpdate" in alias.get("UpdatePolicy", {})]
    assert len(shifted) == len(FUNCTIONS) - 1


def test_what_ends_an_alarm_may_take_over_at_once(tmp_path):
    """CodeDeploy stops every deployment for as long as an alarm of the group rings, the one that mends it too."""
    stated = {"keywright:rollout": "at-once", "aws:cdk:bundling-stacks": []}

    build({**declared_context(), **stated}, outdir=str(tmp_path)).synth()

    groups = Assembly.read(tmp_path).of_type("AWS::CodeDeploy::DeploymentGroup").values()
    assert len(groups) == len(FUNCTIONS) - 1
    for group in groups:
        assert group["Properties"]["DeploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
        assert group["Properties"]["AlarmConfiguration"]["Enabled"] is False
        assert "DEPLOYMENT_STOP_ON_ALARM" not in group["Properties"]["AutoRollbackConfiguration"]["Events"]


def test_functions_that_nobody_waits_for_keep_what_failed(assembly: Assembly):
    kept = assembly.of_type("AWS::Lambda::EventInvokeConfig").values()

    assert {each["Properties"]["Qualifier"] for each in kept} == {"live"}
    assert len(kept) == 3
    assert all("OnFailure" in each["Properties"]["DestinationConfig"] for each in kept)


def test_snapshots_are_taken_where_the_manifest_wants_them_and_the_profile_pays_for_them(
    assembly: Assembly, large: Assembly
):
    wanted = {function.name for function in FUNCTIONS if function.snap_start}
    taken = {name for name, each in large.functions().items() if "SnapStart" in each["Properties"]}

    assert taken == wanted
    assert [name for name, each in assembly.functions().items() if "SnapStart" in each["Properties"]] == []


def test_the_schedules_of_the_small_profile_let_the_database_sleep(assembly: Assembly, large: Assembly):
    def rates(which: Assembly) -> set[str]:
        return {each["Properties"]["ScheduleExpression"] for each in which.of_type("AWS::Scheduler::Schedule").values()}

    assert "rate(1 minute)" in rates(large)
    assert not any("minute" in rate for rate in rates(assembly))


@pytest.mark.parametrize("which", ["assembly", "large"])
def test_every_stack_stays_well_below_what_cloudformation_takes(which: str, request: pytest.FixtureRequest):
    assembly = request.getfixturevalue(which)

    for template in assembly.directory.glob("*.template.json"):
        assert len(json.loads(template.read_text())["Resources"]) <= MOST_RESOURCES, template.name


def test_a_new_edge_key_that_is_named_changes_what_cloudformation_compares(assembly: Assembly, large: Assembly):
    """It reads a secret again only where the reference itself has changed."""
    version = stated_for_the_large_one["keywright:edge_key_version"]

    assert version in edge_header(large)
    assert version not in edge_header(assembly)


def edge_header(assembly: Assembly) -> str:
    """Return the value of the header by which the distribution proves itself, as the template has it."""
    (distribution,) = assembly.other("edge").of_type("AWS::CloudFront::Distribution").values()
    origins = distribution["Properties"]["DistributionConfig"]["Origins"]
    (header,) = next(origin["OriginCustomHeaders"] for origin in origins if "CustomOriginConfig" in origin)
    return json.dumps(header["HeaderValue"])


def test_the_distribution_passes_the_api_on_uncached_and_proves_itself(assembly: Assembly):
    edge = assembly.other("edge")
    (distribution,) = edge.of_type("AWS::CloudFront::Distribution").values()
    config = distribution["Properties"]["DistributionConfig"]
    (cache,) = edge.of_type("AWS::CloudFront::CachePolicy").values()
    (forwarded,) = edge.of_type("AWS::CloudFront::OriginRequestPolicy").values()

    (api,) = [origin for origin in config["Origins"] if "CustomOriginConfig" in origin]
    behaviors = [behavior for behavior in config["CacheBehaviors"] if behavior["TargetOriginId"] == api["Id"]]

    assert [behavior["PathPattern"] for behavior in behaviors] == list(API_PATHS)
    assert {len(behavior["AllowedMethods"]) for behavior in behaviors} == {7}
    (header,) = api["OriginCustomHeaders"]
    assert header["HeaderName"] == EDGE_HEADER
    assert "resolve:secretsmanager" in json.dumps(header["HeaderValue"])
    assert cache["Properties"]["CachePolicyConfig"]["DefaultTTL"] == 0
    keyed = cache["Properties"]["CachePolicyConfig"]["ParametersInCacheKeyAndForwardedToOrigin"]
    assert keyed["HeadersConfig"]["Headers"] == ["Authorization"]
    headers = forwarded["Properties"]["OriginRequestPolicyConfig"]["HeadersConfig"]["Headers"]
    assert {"CloudFront-Viewer-Address", "Idempotency-Key", "Stripe-Signature"} <= set(headers)
    assert "Host" not in headers
    assert len(headers) <= 10


def test_every_route_of_the_manifest_is_behind_the_distribution():
    paths = {route.path for function in FUNCTIONS for route in function.routes}

    assert {path for path in paths if not path.startswith(("/v1/", "/.well-known/")) and path != "/docs"} == set()


def test_the_portal_is_read_by_the_distribution_alone_and_answers_with_strict_headers(assembly: Assembly):
    edge = assembly.other("edge")
    (bucket,) = edge.of_type("AWS::S3::Bucket").values()
    (headers,) = edge.of_type("AWS::CloudFront::ResponseHeadersPolicy").values()
    security = headers["Properties"]["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]

    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(edge.of_type("AWS::CloudFront::OriginAccessControl")) == 1
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] == 730 * 86_400
    policy = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_addresses_of_pages_lead_to_the_front_page_and_files_to_themselves(assembly: Assembly):
    (function,) = assembly.other("edge").of_type("AWS::CloudFront::Function").values()
    (distribution,) = assembly.other("edge").of_type("AWS::CloudFront::Distribution").values()
    settings = distribution["Properties"]["DistributionConfig"]
    asked = ["/", "/verify-email", "/licenses/lic_1", "/checkout/success", "/portal.js", "/pages/usage.js"]
    ask = f"console.log(JSON.stringify({asked}.map(uri => handler({{request: {{uri}}}}).uri)))"
    script = f"{function['Properties']['FunctionCode']}\n{ask}"

    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == ["/index.html"] * 4 + ["/portal.js", "/pages/usage.js"]
    assert len(settings["DefaultCacheBehavior"]["FunctionAssociations"]) == 1
    assert [path for path in settings["CacheBehaviors"] if "FunctionAssociations" in path] == []


def test_the_pages_of_the_portal_obey_the_policy_that_they_are_sent_with(assembly: Assembly):
    from infra.constructs.packaging import ROOT

    pages = [page.read_text() for page in (ROOT / "portal").glob("*.html")]

    assert pages
    assert [page for page in pages if "<style" in page or "<script>" in page or " style=" in page] == []


def test_the_firewall_stands_before_the_distribution_where_it_is_wanted(assembly: Assembly, large: Assembly):
    (open_one,) = assembly.other("edge").of_type("AWS::CloudFront::Distribution").values()
    (guarded,) = large.other("edge").of_type("AWS::CloudFront::Distribution").values()

    assert "WebACLId" not in open_one["Properties"]["DistributionConfig"]
    assert guarded["Properties"]["DistributionConfig"]["WebACLId"]
    assert guarded["Properties"]["DistributionConfig"]["Aliases"] == ["portal.example.com"]


def test_an_api_with_a_host_of_its_own_answers_under_that_one_only(large: Assembly):
    (api,) = large.of_type("AWS::ApiGatewayV2::Api").values()
    (domain,) = large.of_type("AWS::ApiGatewayV2::DomainName").values()

    assert api["Properties"]["DisableExecuteApiEndpoint"] is True
    assert domain["Properties"]["DomainName"] == "api.example.com"
    assert large.environment("auth")["KEYWRIGHT_API_URL"] == "https://api.example.com"


def test_a_copy_of_the_database_and_of_the_keys_leaves_the_region_each_day_where_that_is_wanted(
    assembly: Assembly, large: Assembly
):
    (plan,) = large.of_type("AWS::Backup::BackupPlan").values()
    (vault,) = large.other("copies").of_type("AWS::Backup::BackupVault").values()
    (selection,) = large.of_type("AWS::Backup::BackupSelection").values()
    (cluster,) = large.of_type("AWS::RDS::DBCluster")
    (rule,) = plan["Properties"]["BackupPlan"]["BackupPlanRule"]
    (copy,) = rule["CopyActions"]

    destination = json.dumps(copy["DestinationBackupVaultArn"])
    assert ":us-west-2:" in destination
    assert f"backup-vault:{vault['Properties']['BackupVaultName']}" in destination
    assert (rule["ScheduleExpression"], copy["Lifecycle"]) == ("cron(15 3 * * ? *)", {"DeleteAfterDays": 14})
    assert cluster in json.dumps(selection["Properties"]["BackupSelection"]["Resources"])
    assert replicated(large) == {"Keywright LICENSE_KEYS": ["us-west-2"], "Keywright AUDIT_KEYS": ["us-west-2"]}
    assert (assembly.of_type("AWS::Backup::BackupPlan"), replicated(assembly)) == ({}, {})


def replicated(which: Assembly) -> dict[str, list[str]]:
    """Return the secrets that stand in other regions too, and in which."""
    return {
        secret["Properties"]["Description"].partition(":")[0]: [
            replica["Region"] for replica in secret["Properties"]["ReplicaRegions"]
        ]
        for secret in which.of_type("AWS::SecretsManager::Secret").values()
        if "ReplicaRegions" in secret["Properties"]
    }


def test_a_deployment_elsewhere_takes_its_firewall_from_the_region_where_it_must_be(tmp_path):
    stated = {"keywright:region": "eu-central-1", "keywright:firewall": "cloudfront", "aws:cdk:bundling-stacks": []}

    build({**declared_context(), **stated}, outdir=str(tmp_path)).synth()

    edge = Assembly.read(tmp_path).other("edge")
    (distribution,) = edge.of_type("AWS::CloudFront::Distribution").values()
    assert distribution["Properties"]["DistributionConfig"]["WebACLId"]


@pytest.mark.parametrize(
    "stated",
    [
        {"profile": "medium"},
        {"api_certificate": "arn:aws:acm:eu-central-1:123456789012:certificate/x"},
        {"portal_certificate": "yes"},
        {"mail_identity": "perhaps"},
        {"backup_region": "us-east-1"},
        {"backup_region": "elsewhere"},
        {"edge_key_version": "2"},
        {"way_out_image": "latest"},
        {"rollout": "slowly"},
    ],
)
def test_a_value_that_means_nothing_stops_the_synthesis_and_is_named(stated: dict[str, str], tmp_path):
    ((name, value),) = stated.items()

    with pytest.raises(MissingContext, match=name):
        build({**declared_context(), f"keywright:{name}": value}, outdir=str(tmp_path))
