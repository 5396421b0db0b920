"""The template holds what the manifest lists, and nothing beside it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from infra.app import declared_context
from infra.constructs.packaging import ROOT
from infra.manifest import FUNCTIONS, QUEUES, SCHEDULES, Function, Permission, Route
from infra.permissions import Places, is_asynchronous, statements
from tests.infra import contract
from tests.infra.assembly import Assembly

DEPLOYMENT = declared_context()["keywright:deployment"]


def test_manifest_folders_and_template_name_the_same_functions(assembly: Assembly):
    folders = contract.folders_with_handler(ROOT)

    assert contract.function_differences(FUNCTIONS, folders, assembly) == []


def test_a_function_without_folder_and_a_folder_without_function_are_noticed(assembly: Assembly):
    listed = (*FUNCTIONS, Function("imagined", "Nobody wrote it."))
    folders = {function.name for function in FUNCTIONS} | {"forgotten"}

    differences = contract.function_differences(listed, folders, assembly)

    assert differences == [
        "imagined: in the manifest, but has no folder",
        "forgotten: a folder, but not in the manifest",
        "imagined: in the manifest, but not in the template",
    ]


def test_each_route_of_the_manifest_leads_to_its_function_and_there_are_no_others(assembly: Assembly):
    assert contract.route_differences(FUNCTIONS, assembly) == []


def test_a_route_that_is_missing_in_the_template_is_noticed(assembly: Assembly):
    first, *others = FUNCTIONS
    longer = replace(first, routes=(*first.routes, Route("DELETE", "/v1/everything")))

    differences = contract.route_differences([longer, *others], assembly)

    assert differences == [f"DELETE /v1/everything: {first.name} in the manifest, None in the template"]


def test_each_function_with_routes_has_exactly_one_integration(assembly: Assembly):
    integrations = assembly.of_type("AWS::ApiGatewayV2::Integration").values()

    assert len(integrations) == sum(1 for function in FUNCTIONS if function.routes)
    assert {integration["Properties"]["PayloadFormatVersion"] for integration in integrations} == {"2.0"}


def test_each_function_is_told_what_the_manifest_says(assembly: Assembly):
    assert contract.environment_differences(FUNCTIONS, assembly) == []


def test_a_function_that_is_not_told_a_setting_is_noticed(assembly: Assembly):
    first, *others = FUNCTIONS
    curious = replace(first, settings=(*first.settings, "MOON_PHASE"))

    differences = contract.environment_differences([curious, *others], assembly)

    assert differences == [f"{first.name}: ['KEYWRIGHT_MOON_PHASE']"]


def test_each_function_runs_with_the_timeout_and_memory_of_the_manifest(assembly: Assembly):
    deployed = {
        name: (resource["Properties"]["Timeout"], resource["Properties"]["MemorySize"])
        for name, resource in assembly.functions().items()
    }

    assert deployed == {function.name: (function.timeout_s, function.memory_mb) for function in FUNCTIONS}


def test_each_function_runs_on_arm64_and_python_3_13_over_three_layers(assembly: Assembly):
    seen = {
        (
            *resource["Properties"]["Architectures"],
            resource["Properties"]["Runtime"],
            len(resource["Properties"]["Layers"]),
        )
        for resource in assembly.functions().values()
    }

    assert seen == {("arm64", "python3.13", 3)}


def test_a_function_may_do_what_the_manifest_says_and_no_more(assembly: Assembly):
    assert contract.action_differences(FUNCTIONS, assembly) == []


def test_a_permission_beyond_the_manifest_is_noticed(assembly: Assembly):
    sender = next(function for function in FUNCTIONS if Permission.SEND_MAIL in function.permissions)
    silent = replace(sender, permissions=tuple(p for p in sender.permissions if p is not Permission.SEND_MAIL))

    assert contract.action_differences([silent], assembly) == [f"{sender.name}: ['ses:SendEmail', 'ses:SendRawEmail']"]


def test_no_function_may_touch_every_resource(assembly: Assembly):
    assert {name: found for name in assembly.functions() if (found := contract.wildcards(assembly, name))} == {}


def test_a_function_reads_only_the_secrets_and_fills_only_the_queues_that_it_is_told(assembly: Assembly):
    for function in FUNCTIONS:
        environment = assembly.environment(function.name)
        secrets = [environment[name] for name in contract.secret_variables(function, set(environment))]
        queues = [environment[f"KEYWRIGHT_{queue}_QUEUE_URL"]["Ref"] for queue in function.sends_to]

        readable = assembly.resources_allowed(function.name, "secretsmanager:GetSecretValue")
        fillable = assembly.resources_allowed(function.name, "sqs:SendMessage")

        assert sorted(map(str, readable)) == sorted(map(str, secrets)), function.name
        (failures,) = [name for name in assembly.of_type("AWS::SQS::Queue") if name.startswith("INVOCATIONSDEAD")]
        filled = sorted([*queues, *([failures] if is_asynchronous(function) else [])])
        assert sorted(arn["Fn::GetAtt"][0] for arn in fillable) == filled, function.name


def test_a_role_is_word_for_word_what_this_machine_judges_by(assembly: Assembly):
    for function in FUNCTIONS:
        told = assembly.environment(function.name)
        queue_arns: dict[Any, Any] = {
            queue: {"Fn::GetAtt": [told[f"KEYWRIGHT_{queue}_QUEUE_URL"]["Ref"], "Arn"]} for queue in function.sends_to
        }
        places = Places(
            deployment=DEPLOYMENT,
            secrets={secret: told[f"KEYWRIGHT_{secret}_SECRET"] for secret in function.secrets},
            queues=queue_arns,
            permitted={permission: contract.resources_of(permission, assembly) for permission in function.permissions},
        )

        judged_by = contract.single(statements(function, places))
        deployed = contract.single(assembly.statements(function.name))

        by_lambda = {(action, resource) for action, resource in deployed - judged_by}
        assert judged_by <= deployed, function.name
        assert {action for action, _ in by_lambda} <= contract.LOG | contract.CONSUME | {"sqs:SendMessage"}
        assert all("INVOCATIONSDEAD" in resource for action, resource in by_lambda if action == "sqs:SendMessage")


def test_each_schedule_invokes_its_function_with_its_payload(assembly: Assembly):
    deployed = {
        (target["Arn"]["Ref"], target["Input"].replace(" ", ""))
        for schedule in assembly.of_type("AWS::Scheduler::Schedule").values()
        if (target := schedule["Properties"]["Target"])["DeadLetterConfig"]
    }

    listed = {
        (assembly.called(schedule.function)["Ref"], str(schedule.payload).replace("'", '"').replace(" ", ""))
        for schedule in SCHEDULES
    }
    assert deployed == listed


def test_a_queue_hides_a_message_for_six_timeouts_and_tries_five_times():
    assert contract.impatient_queues(QUEUES, FUNCTIONS) == []


def test_a_queue_that_gives_up_early_is_noticed():
    first, *others = QUEUES

    assert contract.impatient_queues([replace(first, max_receive_count=4), *others], FUNCTIONS) == [first.queue]


def test_each_queue_is_deployed_with_the_patience_of_the_manifest(assembly: Assembly):
    deployed = {
        (queue["Properties"]["VisibilityTimeout"], queue["Properties"]["RedrivePolicy"]["maxReceiveCount"])
        for queue in assembly.of_type("AWS::SQS::Queue").values()
        if "RedrivePolicy" in queue["Properties"]
    }

    assert deployed == {(settings.visibility_timeout_s, settings.max_receive_count) for settings in QUEUES}


def test_each_queue_trigger_reports_failures_message_by_message(assembly: Assembly):
    deployed = {
        re.findall(r"'Ref': '(\w+)'", str(mapping["FunctionName"]))[0]: (
            mapping["BatchSize"],
            mapping["ScalingConfig"]["MaximumConcurrency"],
            mapping["FunctionResponseTypes"],
        )
        for resource in assembly.of_type("AWS::Lambda::EventSourceMapping").values()
        if (mapping := resource["Properties"])
    }

    assert deployed == {
        assembly.called(function.name)["Ref"]: (
            function.trigger.batch_size,
            function.trigger.maximum_concurrency,
            ["ReportBatchItemFailures"],
        )
        for function in FUNCTIONS
        if function.trigger
    }
