"""What AWS holds for a deployment: secrets, queues, the right to send mail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.utils import parseaddr
from typing import Any

import boto3
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

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
_KEY_TYPES: dict[Secret, tuple[type[Any], type[Any]]] = {
    Secret.ACCESS_TOKEN_KEYS: (RSAPrivateKey, RSAPublicKey),
    Secret.LICENSE_KEYS: (Ed25519PrivateKey, Ed25519PublicKey),
}


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
    faults = [_fault(secret, key) for key in value["keys"]] if secret in _KEY_TYPES else []
    if fault := next(filter(None, faults), None):
        return Finding.wrong("secrets", f"{secret} holds a key that {fault}")
    return Finding.fine("secrets", f"{secret} holds what it should")


def _fault(secret: Secret, key: dict[str, Any]) -> str | None:
    """Say what is wrong with a key of a ring: whole, or as license keys may be, in KMS or its public half alone."""
    private, public = _KEY_TYPES[secret]
    try:
        if secret is Secret.LICENSE_KEYS and "private_pem" not in key:
            if "kms_key_id" in key:
                return None if key["kms_key_id"] else "cannot be read"
            return None if isinstance(load_pem_public_key(key["public_pem"].encode()), public) else _is_no(public)
        loaded = load_pem_private_key(key["private_pem"].encode(), password=None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "cannot be read"
    return None if isinstance(loaded, private) else _is_no(private)


def _is_no(kind: type[Any]) -> str:
    return f"is no {kind.__name__}"


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
            yield _mail_reaches_everybody(client)
        return
    yield Finding.wrong("mail", f"SES does not know {address}: deploy with -c keywright:mail_identity=create")


def _mail_reaches_everybody(client: Any) -> Finding:
    """An account that is new to SES may write to addresses that it has verified, and to nobody else."""
    if client.get_account().get("ProductionAccessEnabled"):
        return Finding.fine("mail", "SES delivers to every address")
    return Finding.wrong("mail", "SES is in its sandbox, and no customer gets mail: ask for production access")
