"""
What the template owes the manifest, as functions that return differences: empty means that both agree.

They take the manifest's lists as parameters, so that tests can hand them a wrong one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from infra.manifest import FUNCTIONS, Function, Permission, QueueSettings
from infra.permissions import is_asynchronous
from tests.infra.assembly import Assembly, as_list

LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
CONSUME = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
PERMITTED = {
    Permission.SEND_MAIL: {"ses:SendEmail", "ses:SendRawEmail"},
    Permission.PUT_EVENTS: {"events:PutEvents"},
    Permission.READ_LICENSE_KEYS: {"kms:GetPublicKey"},
    Permission.SIGN_LICENSES: {"kms:Sign"},
    Permission.ROTATE_LICENSE_KEYS: {"secretsmanager:PutSecretValue"},
}


def folders_with_handler(root: Path) -> set[str]:
    return {handler.parent.name for handler in (root / "functions").glob("*/handler.py")}


def function_differences(functions: Iterable[Function], folders: set[str], assembly: Assembly) -> list[str]:
    listed, deployed = {function.name for function in functions}, set(assembly.functions())
    return [
        *(f"{name}: in the manifest, but has no folder" for name in sorted(listed - folders)),
        *(f"{name}: a folder, but not in the manifest" for name in sorted(folders - listed)),
        *(f"{name}: in the manifest, but not in the template" for name in sorted(listed - deployed)),
        *(f"{name}: in the template, but not in the manifest" for name in sorted(deployed - listed)),
    ]


def route_differences(functions: Iterable[Function], assembly: Assembly) -> list[str]:
    """Compare which route leads to which function."""
    listed = {f"{route.method} {route.path}": function.name for function in functions for route in function.routes}
    deployed = _deployed_routes(assembly)
    return [
        f"{key}: {listed.get(key)} in the manifest, {deployed.get(key)} in the template"
        for key in sorted({*listed, *deployed})
        if listed.get(key) != deployed.get(key)
    ]


def environment_differences(functions: Iterable[Function], assembly: Assembly) -> list[str]:
    return [
        f"{function.name}: {sorted(differing)}"
        for function in functions
        if (differing := _variables(function, present := set(assembly.environment(function.name))) ^ present)
    ]


def action_differences(functions: Iterable[Function], assembly: Assembly) -> list[str]:
    """Compare what each function may do, action by action."""
    differences = []
    for function in functions:
        allowed = {
            action for statement in assembly.statements(function.name) for action in as_list(statement["Action"])
        }
        if allowed != _actions(function):
            differences.append(f"{function.name}: {sorted(allowed ^ _actions(function))}")
    return differences


def single(found: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Take allowing statements apart: each action on each resource, which is all that they say."""
    pairs = set()
    for statement in found:
        assert set(statement) - {"Condition"} == {"Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
        pairs |= {(a, json.dumps(r)) for a in as_list(statement["Action"]) for r in as_list(statement["Resource"])}
    return pairs


def resources_of(permission: Permission, assembly: Assembly) -> list[Any]:
    """Return what a permission is about, as the template names it."""
    (bus,) = assembly.of_type("AWS::Events::EventBus")
    (configuration_set,) = assembly.of_type("AWS::SES::ConfigurationSet")
    if permission is Permission.PUT_EVENTS:
        return [{"Fn::GetAtt": [bus, "Arn"]}]
    if permission in {Permission.READ_LICENSE_KEYS, Permission.SIGN_LICENSES}:
        return [statement["Resource"] for statement in assembly.statements("licenses") if "Condition" in statement][:1]
    if permission is Permission.ROTATE_LICENSE_KEYS:
        return [_read_secrets(assembly, "job_worker")["KEYWRIGHT_LICENSE_KEYS_SECRET"]]
    domain = str(assembly.environment("job_worker")["KEYWRIGHT_MAIL_FROM"]).partition("@")[2]
    here = ["arn:", {"Ref": "AWS::Partition"}, ":ses:us-east-1:", {"Ref": "AWS::AccountId"}]
    sets = [*here, ":configuration-set/", {"Ref": configuration_set}]
    return [{"Fn::Join": ["", [*here, f":identity/{domain}"]]}, {"Fn::Join": ["", sets]}]


def _read_secrets(assembly: Assembly, function: str) -> Mapping[str, Any]:
    return {name: value for name, value in assembly.environment(function).items() if name.endswith("_SECRET")}


def wildcards(assembly: Assembly, function: str) -> list[str]:
    """Return the actions of inline statements that name every resource, or of actions that name every action."""
    return [
        str(statement["Action"])
        for statement in assembly.statements(function)
        if "*" in as_list(statement["Resource"]) or any("*" in action for action in as_list(statement["Action"]))
    ]


def impatient_queues(queues: Iterable[QueueSettings], functions: Iterable[Function]) -> list[str]:
    """Return the queues that hide a message for less than six timeouts of its consumer or try less than five times."""
    consumers = {function.trigger.queue: function for function in functions if function.trigger}
    return [
        settings.queue
        for settings in queues
        if settings.visibility_timeout_s < 6 * consumers[settings.queue].timeout_s or settings.max_receive_count < 5
    ]


def _deployed_routes(assembly: Assembly) -> dict[str, str]:
    names = {assembly.called(function.name)["Ref"]: function.name for function in FUNCTIONS if function.routes}
    integrations = {
        key: names[integration["Properties"]["IntegrationUri"]["Ref"]]
        for key, integration in assembly.of_type("AWS::ApiGatewayV2::Integration").items()
    }
    return {
        route["Properties"]["RouteKey"]: integrations[route["Properties"]["Target"]["Fn::Join"][1][1]["Ref"]]
        for route in assembly.of_type("AWS::ApiGatewayV2::Route").values()
    }


def secret_variables(function: Function, present: set[str]) -> list[str]:
    """Return the variables that name the function's secrets, without those that a deployment does without."""
    from infra.manifest import OPTIONAL_SECRETS

    optional = {f"KEYWRIGHT_{secret}_SECRET" for secret in OPTIONAL_SECRETS}
    names = [f"KEYWRIGHT_{secret}_SECRET" for secret in function.secrets]
    return [name for name in names if name in present or name not in optional]


def _variables(function: Function, present: set[str]) -> set[str]:
    return {
        *(f"KEYWRIGHT_{setting}" for setting in function.settings),
        *secret_variables(function, present),
        *(f"KEYWRIGHT_{queue}_QUEUE_URL" for queue in function.sends_to),
    }


def _actions(function: Function) -> set[str]:
    return {
        *LOG,
        *(["secretsmanager:GetSecretValue"] if function.secrets else []),
        *(["sqs:SendMessage"] if function.sends_to or is_asynchronous(function) else []),
        *(CONSUME if function.trigger else []),
        *(action for permission in function.permissions for action in PERMITTED[permission]),
    }
