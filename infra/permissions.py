"""
What the role of each function allows, as statements of an IAM policy.

Both targets ask here: the stack writes the statements into the template, the local target judges each call of a
function by them. So what was refused or allowed on this machine is what AWS refuses or allows. It knows the manifest
only; how things are called in an account is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.manifest import Function, Permission, Queue, Secret

Statement = dict[str, str | list[str]]

# A mail with its own MIME body is checked as SendRawEmail, although the call is SendEmail.
_ACTIONS = {
    Permission.SEND_MAIL: ["ses:SendEmail", "ses:SendRawEmail"],
    Permission.PUT_EVENTS: ["events:PutEvents"],
}


@dataclass(frozen=True)
class Places:
    """The ARNs of what functions are wired to: in a template they are references, on this machine plain text."""

    secrets: Mapping[Secret, str]
    queues: Mapping[Queue, str]
    permitted: Mapping[Permission, list[str]]


def statements(function: Function, places: Places) -> list[Statement]:
    """Return what the manifest permits the function, and nothing beside it."""
    permitted = [_allow(_ACTIONS[permission], places.permitted[permission]) for permission in function.permissions]
    return [
        statement
        for statement in (
            _allow(["secretsmanager:GetSecretValue"], [places.secrets[secret] for secret in function.secrets]),
            _allow(["sqs:SendMessage"], [places.queues[queue] for queue in function.sends_to]),
            *permitted,
        )
        if statement["Resource"]
    ]


def _allow(actions: list[str], resources: list[str]) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}
