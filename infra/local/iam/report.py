"""
Which permissions nothing has used: ``python -m infra.local.iam.report FILE``.

The file is what processes noted while ``PERMISSIONS_USED`` named it. A permission without use is one too many, or a
path that no test takes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from infra.local.environment import ACCOUNT, DEFAULT_REGION
from infra.local.iam.role import Role
from infra.local.iam.roles import role_of
from infra.manifest import FUNCTIONS, Function, Queue, Secret

# Names for the sake of names: only the actions and the kind of resource are compared, which no deployment changes.
_VALUES = {
    "AWS_REGION": DEFAULT_REGION,
    **{f"KEYWRIGHT_{secret}_SECRET": f"x/{secret}" for secret in Secret},
    **{f"KEYWRIGHT_{queue}_QUEUE_URL": f"http://x/{ACCOUNT}/{queue}" for queue in Queue},
    "KEYWRIGHT_EVENT_BUS": "x",
    "KEYWRIGHT_MAIL_CONFIGURATION_SET": "x",
    "KEYWRIGHT_MAIL_FROM": "x@x.example",
}

Use = tuple[str, str, str]
"""A function, an action, and what the resource is: ``database``, ``events``, ``identity``."""


def granted(functions: Iterable[Function] = FUNCTIONS) -> set[Use]:
    """Return every permission of every role."""
    return {use for function in functions for use in _uses(role_of(function, _VALUES))}


def used(lines: Iterable[str]) -> set[Use]:
    """Return what was noted."""
    notes = [json.loads(line) for line in lines]
    return {(note["function"], note["action"], _kind(note["resource"])) for note in notes}


def unused(lines: Iterable[str], functions: Iterable[Function] = FUNCTIONS) -> list[str]:
    """Return the permissions that no note speaks of, one text each."""
    return [f"{function}: {action} on {what}" for function, action, what in sorted(granted(functions) - used(lines))]


def _uses(role: Role) -> Iterable[Use]:
    for statement in role.statements:
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield role.function, action, _kind(resource)


def _kind(resource: str) -> str:
    """Name what an ARN leads to without what one deployment calls it."""
    service, what = resource.split(":", 5)[2], resource.split(":", 5)[5]
    if service == "secretsmanager":
        # An ARN ends with a hyphen and six characters; a name begins with the deployment's.
        return what.removeprefix("secret:").rpartition("/")[2][:-7].lower()
    if service == "sqs":
        return next((queue.lower() for queue in Queue if queue.lower() in what.lower()), what)
    return what.partition("/")[0]


def main(arguments: Sequence[str]) -> int:
    """Print what is unused; exit 1 if anything is."""
    found = unused(Path(arguments[0]).read_text().splitlines())
    total = len(granted())
    print(f"{total - len(found)} of {total} permissions were used.")
    for line in found:
        print(f"  {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
