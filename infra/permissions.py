"""
What the role of each function allows, as statements of an IAM policy.

Both targets ask here: the stack writes the statements into the template, the local target judges each call of a
function by them. So what was refused or allowed on this machine is what AWS refuses or allows. It knows the manifest
only; how things are called in an account is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.manifest import OPTIONAL_SECRETS, SCHEDULES, Function, Permission, Queue, Secret

Condition = dict[str, dict[str, str]]
Statement = dict[str, str | list[str] | Condition]

# A mail with its own MIME body is checked as SendRawEmail, although the call is SendEmail.
_ACTIONS = {
    Permission.SEND_MAIL: ["ses:SendEmail", "ses:SendRawEmail"],
    Permission.PUT_EVENTS: ["events:PutEvents"],
    Permission.READ_LICENSE_KEYS: ["kms:GetPublicKey"],
    Permission.SIGN_LICENSES: ["kms:Sign"],
    Permission.ROTATE_LICENSE_KEYS: ["secretsmanager:PutSecretValue"],
}
_ON_LICENSE_KEYS = frozenset({Permission.READ_LICENSE_KEYS, Permission.SIGN_LICENSES})
_CONSUME = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
_WRITE_LOG = ["logs:CreateLogStream", "logs:PutLogEvents"]


@dataclass(frozen=True)
class Places:
    """
    The ARNs of what functions are wired to: in a template they are references, on this machine plain text.

    ``deployment`` is the name that tells this deployment from others in the account.
    """

    deployment: str
    secrets: Mapping[Secret, str]
    queues: Mapping[Queue, str]
    permitted: Mapping[Permission, list[str]]


def statements(function: Function, places: Places) -> list[Statement]:
    """Return what the manifest permits the function's own code, and nothing beside it."""
    found = [
        _allow(["secretsmanager:GetSecretValue"], [places.secrets[each] for each in present(function, places.secrets)]),
        _allow(["sqs:SendMessage"], [places.queues[queue] for queue in function.sends_to]),
        *(_permit(permission, places) for permission in function.permissions),
    ]
    return [statement for statement in found if statement["Resource"]]


def present(function: Function, secrets: Mapping[Secret, str]) -> list[Secret]:
    """Return the function's secrets without those that this deployment does without."""
    return [secret for secret in function.secrets if secret in secrets or secret not in OPTIONAL_SECRETS]


def lambda_statements(*, log: str, queue: str | None, failures: str | None) -> list[Statement]:
    """
    Return what Lambda itself does in the function's name: its log, its queue, and what it could not get done.

    No code of ours makes these calls, on AWS or on this machine.
    """
    return [
        _allow(_WRITE_LOG, [log]),
        *([_allow(_CONSUME, [queue])] if queue else []),
        *([_allow(["sqs:SendMessage"], [failures])] if failures else []),
    ]


def is_asynchronous(function: Function) -> bool:
    """Tell whether a schedule or an event invokes it, so that nobody waits for its answer."""
    return function.events is not None or any(schedule.function == function.name for schedule in SCHEDULES)


def license_key_tags(deployment: str) -> dict[str, str]:
    """
    Return the tags, as conditions name them, of the keys in KMS that sign this deployment's licenses.

    Which keys of the account these are is known to the operator alone, who tags them. Both are asked for: otherwise a
    staging deployment could sign with production's keys.
    """
    return {"aws:ResourceTag/keywright": "license-key", "aws:ResourceTag/keywright-deployment": deployment}


def _permit(permission: Permission, places: Places) -> Statement:
    statement = _allow(_ACTIONS[permission], places.permitted[permission])
    if permission in _ON_LICENSE_KEYS:
        statement["Condition"] = {"StringEquals": license_key_tags(places.deployment)}
    return statement


def _allow(actions: list[str], resources: list[str]) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}
