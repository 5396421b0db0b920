"""
Refusing, inside a function's process, what its role does not allow: as IAM does, before anything is sent.

It hangs on the events that AWS's client library emits, so the code of a function meets it only as the error that it
would meet in AWS. It must not be imported by what is deployed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from infra.local.iam.evaluator import Decision, Request, decide
from infra.local.iam.requests import Account, CallUnknown, requests_of
from infra.local.iam.role import Role

Guard = Callable[..., None]


def guard(current: Callable[[], Role | None]) -> Guard:
    """Return the handler that judges every call by the role of the moment; without a role nothing is judged."""

    def judge(params: dict[str, Any], model: Any, **_others: Any) -> None:
        if (role := current()) is None:
            return
        service, operation = model.service_model.service_name, model.name
        try:
            asked = requests_of(service, operation, params, Account(role.region, role.account))
        except CallUnknown:
            raise refusal(role, f"{service}:{operation}", "*", "no rule here says what this call asks") from None
        for request in asked:
            if (decision := decide(role.statements, request)) is not Decision.ALLOWED:
                raise refusal(role, request.action, request.resource, decision.value)
            _note(role, request)

    return judge


def refusal(role: Role, action: str, resource: str, why: str) -> Exception:
    """Build the error that AWS's clients raise."""
    from botocore.exceptions import ClientError  # noqa: PLC0415  (costs a fifth of a second, and few are refused)

    message = (
        f"User: arn:aws:sts::{role.account}:assumed-role/{role.function} is not authorized to perform: {action} "
        f"on resource: {resource} ({why})"
    )
    error: Exception = ClientError(
        {"Error": {"Code": "AccessDeniedException", "Message": message}}, action.partition(":")[2]
    )
    return error


def hang_on(handlers: ModuleType, judge: Guard) -> None:
    """Have every session of AWS's library call the guard before each request."""
    handlers.BUILTIN_HANDLERS.append(("provide-client-params", judge))


_noted: set[tuple[str, str, str]] = set()


def _note(role: Role, request: Request) -> None:
    """Append what was used, once per process: short lines to one file do not mix."""
    key = (role.function, request.action, request.resource)
    if role.record is None or key in _noted:
        return
    _noted.add(key)
    line = json.dumps({"function": role.function, "action": request.action, "resource": request.resource}) + "\n"
    descriptor = os.open(role.record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
