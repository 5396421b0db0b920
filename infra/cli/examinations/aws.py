"""What AWS holds for a deployment: secrets, queues, the right to send mail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.utils import parseaddr
from typing import Any

import boto3
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from infra.cli.examinations.findings import Finding
from infra.manifest import OPTIONAL_SECRETS, Queue, Secret
from keywright.platform import config, secrets
from keywright.platform.errors import SettingMissing

_FIELDS = {
    Secret.DATABASE: ("host", "port", "username", "password", "dbname"),
    Secret.DATABASE_OWNER: ("host", "port", "username", "password", "dbname"),
    Secret.STRIPE: ("api_key", "webhook_secrets"),
    Secret.ACCESS_TOKEN_KEYS: ("keys",),
    Secret.LICENSE_KEYS: ("keys",),
    Secret.AUDIT_KEYS: ("keys",),
    Secret.EDGE: ("key",),
}
_KEY_TYPES = {Secret.ACCESS_TOKEN_KEYS: RSAPrivateKey, Secret.LICENSE_KEYS: Ed25519PrivateKey}


def secrets_hold_what_they_should() -> Iterator[Finding]:
    """Read each secret and look at its shape; what it says is never printed."""
    for secret in Secret:
        try:
            value = secrets.read(secret)
        except SettingMissing as problem:
            if secret not in OPTIONAL_SECRETS:
                yield Finding.wrong("secrets", f"{secret}: {problem.detail}")
            continue
        except ClientError as problem:
            reason = problem.response["Error"].get("Code", "")
            yield Finding.wrong("secrets", f"{secret} cannot be read ({reason}): fill it, docs/deploy.md#secrets")
            continue
        yield _judge(secret, value)


def _judge(secret: Secret, value: dict[str, Any]) -> Finding:
    if missing := [field for field in _FIELDS[secret] if not value.get(field)]:
        return Finding.wrong("secrets", f"{secret} lacks {', '.join(missing)}: docs/settings.md#secrets")
    if expected := _KEY_TYPES.get(secret):
        for key in value["keys"]:
            try:
                loaded = load_pem_private_key(key["private_pem"].encode(), password=None)
            except (ValueError, KeyError, TypeError):
                return Finding.wrong("secrets", f"{secret} holds a key that cannot be read")
            if not isinstance(loaded, expected):
                return Finding.wrong("secrets", f"{secret} holds a key that is no {expected.__name__}")
    return Finding.fine("secrets", f"{secret} holds what it should")


def queues_flow() -> Iterator[Finding]:
    """Look at each queue and at what it has given up."""
    client = boto3.client("sqs")
    for queue in Queue:
        url = config.setting(f"{queue}_QUEUE_URL")
        said = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        if "RedrivePolicy" not in said:
            yield Finding.wrong("queues", f"{queue} has no dead-letter queue: deploy again")
            continue
        dead_name = json.loads(said["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
        dead_url = client.get_queue_url(QueueName=dead_name)["QueueUrl"]
        dead = client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["ApproximateNumberOfMessages"])
        if int(count := dead["Attributes"]["ApproximateNumberOfMessages"]):
            yield Finding.wrong("queues", f"{queue} has given up {count} messages: docs/runbook.md#dead-letters")
        else:
            waiting = said["ApproximateNumberOfMessages"]
            yield Finding.fine("queues", f"{queue} flows: {waiting} wait, none was given up")


def mail_may_be_sent() -> Iterator[Finding]:
    """Ask SES for the sender: its domain, or the address itself."""
    client, address = boto3.client("sesv2"), parseaddr(config.setting("MAIL_FROM"))[1]
    for identity in (address.rpartition("@")[2], address):
        try:
            said = client.get_email_identity(EmailIdentity=identity)
        except client.exceptions.NotFoundException:
            continue
        if (status := said.get("VerificationStatus")) != "SUCCESS":
            yield Finding.wrong(
                "mail", f"SES has not verified {identity} ({status}): set the DNS records of the outputs"
            )
        else:
            yield Finding.fine("mail", f"SES knows the sender {identity}")
        return
    yield Finding.wrong("mail", f"SES does not know {address}: deploy with -c keywright:mail_identity=create")
