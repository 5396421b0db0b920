"""
What IAM is asked when one of AWS's clients is called: which actions, on which resources. Pure.

One line per call that our functions make. A call without a line is refused, because nobody has said yet what it asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from infra.local.iam.evaluator import Request
from infra.permissions import license_key_tags


class CallUnknown(LookupError):
    """No line here says what the call asks."""


@dataclass(frozen=True)
class Account:
    """Whose resources names belong to; one deployment has this machine to itself."""

    region: str
    number: str
    deployment: str = "local"

    def arn(self, service: str, resource: str) -> str:
        """Build the ARN of a resource of this account; what is an ARN already stays."""
        if resource.startswith("arn:"):
            return resource
        return f"arn:aws:{service}:{self.region}:{self.number}:{resource}"


Parameters = Mapping[str, Any]
Asked = Callable[[Parameters, Account], Iterator[Request]]

# A secret's ARN ends with six characters of Secrets Manager's own; by name, any will do.
_SUFFIX = "-AbCdEf"


def requests_of(service: str, operation: str, parameters: Parameters, account: Account) -> list[Request]:
    """
    Return all that must be allowed, each by itself.

    :raises CallUnknown: if the call has no line here
    """
    if (asked := _CALLS.get((service, operation))) is None:
        raise CallUnknown(f"{service}.{operation}")
    return list(asked(parameters, account))


def _secret(action: str) -> Asked:
    def asked(parameters: Parameters, account: Account) -> Iterator[Request]:
        secret_id = str(parameters["SecretId"])
        named = secret_id if secret_id.startswith("arn:") else f"secret:{secret_id}{_SUFFIX}"
        yield Request(f"secretsmanager:{action}", account.arn("secretsmanager", named))

    return asked


def _key(action: str) -> Asked:
    def asked(parameters: Parameters, account: Account) -> Iterator[Request]:
        # No key exists on this machine whose tags could be read: one that is asked for is taken for a tagged one.
        context = license_key_tags(account.deployment)
        yield Request(f"kms:{action}", account.arn("kms", f"key/{parameters['KeyId']}"), context)

    return asked


def _queue(parameters: Parameters, account: Account) -> Iterator[Request]:
    name = urlsplit(str(parameters["QueueUrl"])).path.rpartition("/")[2]
    # A batch is not an action of its own.
    yield Request("sqs:SendMessage", account.arn("sqs", name))


def _mail(parameters: Parameters, account: Account) -> Iterator[Request]:
    from email.utils import parseaddr  # noqa: PLC0415  (lazy: every function's process reads this module)

    domain = parseaddr(str(parameters["FromEmailAddress"]))[1].rpartition("@")[2]
    resources = [account.arn("ses", f"identity/{domain}")]
    if configuration_set := parameters.get("ConfigurationSetName"):
        resources.append(account.arn("ses", f"configuration-set/{configuration_set}"))
    actions = ["ses:SendEmail", *(["ses:SendRawEmail"] if "Raw" in parameters["Content"] else [])]
    for action in actions:
        for resource in resources:
            yield Request(action, resource)


def _events(parameters: Parameters, account: Account) -> Iterator[Request]:
    for bus in sorted({str(entry.get("EventBusName", "default")) for entry in parameters["Entries"]}):
        named = bus if bus.startswith("arn:") else f"event-bus/{bus}"
        yield Request("events:PutEvents", account.arn("events", named))


_CALLS: Mapping[tuple[str, str], Asked] = {
    ("events", "PutEvents"): _events,
    ("kms", "GetPublicKey"): _key("GetPublicKey"),
    ("kms", "Sign"): _key("Sign"),
    ("secretsmanager", "GetSecretValue"): _secret("GetSecretValue"),
    ("secretsmanager", "PutSecretValue"): _secret("PutSecretValue"),
    ("sesv2", "SendEmail"): _mail,
    ("sqs", "SendMessage"): _queue,
    ("sqs", "SendMessageBatch"): _queue,
}
