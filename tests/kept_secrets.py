"""The secrets of the test run, put back as they were: they are shared by every test of the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3

from keywright.platform import secrets


@contextmanager
def kept_secret(name: str) -> Iterator[None]:
    """Let a secret be overwritten for as long as the block lasts."""
    manager, secret_id = boto3.client("secretsmanager"), f"keywright/{name}"
    before = manager.get_secret_value(SecretId=secret_id)["SecretString"]
    try:
        yield
    finally:
        manager.put_secret_value(SecretId=secret_id, SecretString=before)
        secrets.forget()
