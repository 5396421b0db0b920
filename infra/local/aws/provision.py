"""What a deployment creates once in an AWS account, created in moto: secrets, the sender's identity, the bus."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3

from infra.local.values import EVENT_BUS, MAIL_CONFIGURATION_SET, MAIL_FROM, REGION, secret_id
from infra.manifest import Secret


def provision(aws_url: str, secrets: Mapping[Secret, Mapping[str, Any]]) -> None:
    """
    Create everything that the functions find in AWS. moto starts empty, so nothing is there yet.
    """
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=REGION)
    vault = session.client("secretsmanager", endpoint_url=aws_url)
    for secret, value in secrets.items():
        vault.create_secret(Name=secret_id(secret), SecretString=json.dumps(value))
    mail = session.client("sesv2", endpoint_url=aws_url)
    mail.create_email_identity(EmailIdentity=MAIL_FROM)
    mail.create_configuration_set(ConfigurationSetName=MAIL_CONFIGURATION_SET)
    session.client("events", endpoint_url=aws_url).create_event_bus(Name=EVENT_BUS)
