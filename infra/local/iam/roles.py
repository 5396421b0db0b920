"""
The roles that functions have on this machine: the statements of the deployment, with the names of this machine.

Names are read from the variables that the function is given, so a role and what the function was told cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parseaddr
from typing import assert_never
from urllib.parse import urlsplit

from infra.local.environment import ACCOUNT, OURS, region_of
from infra.local.iam.requests import Account
from infra.local.iam.role import Role
from infra.manifest import OPTIONAL_SECRETS, Function, Permission, Queue, Secret
from infra.permissions import Places, statements


def role_of(function: Function, environment: Mapping[str, str], *, record: str | None = None) -> Role:
    """Build the role from the manifest and the function's own variables."""
    account = Account(region_of(environment), ACCOUNT)
    allowed = statements(function, places(function, environment, account))
    return Role(function.name, account.region, account.number, allowed, record)


def places(function: Function, environment: Mapping[str, str], account: Account) -> Places:
    """Name what the function is wired to, as ARNs."""
    return Places(
        deployment=account.deployment,
        secrets={
            secret: _secret(secret, environment, account)
            for secret in function.secrets
            if secret not in OPTIONAL_SECRETS or f"{OURS}{secret}_SECRET" in environment
        },
        queues={queue: _queue(queue, environment, account) for queue in function.sends_to},
        permitted={permission: _permitted(permission, environment, account) for permission in function.permissions},
    )


def _secret(secret: Secret, environment: Mapping[str, str], account: Account) -> str:
    secret_id = environment[f"{OURS}{secret}_SECRET"]
    if secret_id.startswith("arn:"):
        return secret_id
    return account.arn("secretsmanager", f"secret:{secret_id}-??????")


def _queue(queue: Queue, environment: Mapping[str, str], account: Account) -> str:
    return account.arn("sqs", urlsplit(environment[f"{OURS}{queue}_QUEUE_URL"]).path.rpartition("/")[2])


def _permitted(permission: Permission, environment: Mapping[str, str], account: Account) -> list[str]:
    match permission:
        case Permission.PUT_EVENTS:
            return [account.arn("events", f"event-bus/{environment[f'{OURS}EVENT_BUS']}")]
        case Permission.SEND_MAIL:
            domain = parseaddr(environment[f"{OURS}MAIL_FROM"])[1].rpartition("@")[2]
            return [
                account.arn("ses", f"identity/{domain}"),
                account.arn("ses", f"configuration-set/{environment[f'{OURS}MAIL_CONFIGURATION_SET']}"),
            ]
        case Permission.READ_LICENSE_KEYS | Permission.SIGN_LICENSES:
            return [account.arn("kms", "key/*")]
        case Permission.ROTATE_LICENSE_KEYS:
            return [_secret(Secret.LICENSE_KEYS, environment, account)]
    assert_never(permission)
