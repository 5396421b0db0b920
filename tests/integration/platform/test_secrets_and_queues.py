"""What comes from AWS: secrets that may be rotated, and queues that may be away."""

from __future__ import annotations

import json

import boto3
import pytest

from keywright.licensing import gateway
from keywright.platform import queue, secrets
from keywright.platform.errors import SettingMissing
from keywright.stripe_sync import gateway as webhook_gateway
from tests.queue_hints import take

pytestmark = pytest.mark.usefixtures("clean_database")


@pytest.fixture
def keep(monkeypatch):
    """Put a value where the secret of this name is read from, for one test."""
    vault = boto3.client("secretsmanager")
    made: list[str] = []

    def put(name: str, value: str) -> None:
        sid = f"keywright/tests/{name}/{len(made)}"
        vault.create_secret(Name=sid, SecretString=value)
        made.append(sid)
        monkeypatch.setenv(f"KEYWRIGHT_{name}_SECRET", sid)
        secrets.forget()

    yield put
    for sid in made:
        vault.delete_secret(SecretId=sid, ForceDeleteWithoutRecovery=True)
    secrets.forget()


def test_a_secret_is_kept_until_it_is_forgotten(keep):
    keep("STRIPE", '{"api_key": "first"}')
    sid = "keywright/tests/STRIPE/0"

    assert secrets.read("STRIPE") == {"api_key": "first"}
    boto3.client("secretsmanager").put_secret_value(SecretId=sid, SecretString='{"api_key": "second"}')
    assert secrets.read("STRIPE") == {"api_key": "first"}
    secrets.forget()
    assert secrets.read("STRIPE") == {"api_key": "second"}


@pytest.mark.parametrize("value", ["no json", "[]", '"text"'])
def test_a_secret_that_is_no_json_object_is_named_and_not_shown(keep, value):
    keep("STRIPE", value)

    with pytest.raises(SettingMissing, match="STRIPE") as problem:
        secrets.read("STRIPE")

    assert value not in str(problem.value)


def test_a_secret_whose_setting_is_missing_is_named(monkeypatch):
    monkeypatch.delenv("KEYWRIGHT_LICENSE_KEYS_SECRET")
    secrets.forget()

    with pytest.raises(SettingMissing, match="KEYWRIGHT_LICENSE_KEYS_SECRET"):
        secrets.read("LICENSE_KEYS")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"webhook_secrets": ["whsec_new", "whsec_old"]}, ("whsec_new", "whsec_old")),
        ({"webhook_secrets": ["", "whsec_one"]}, ("whsec_one",)),
        ({"webhook_secrets": []}, ()),
        ({}, ()),
    ],
)
def test_webhook_secrets_are_those_that_are_there(keep, value, found):
    keep("STRIPE", json.dumps(value))

    assert webhook_gateway.webhook_secrets() == found


def test_without_a_license_key_nothing_is_signed(keep):
    keep("LICENSE_KEYS", '{"keys": []}')

    with pytest.raises(SettingMissing, match="no key"):
        gateway.key_ring()


def test_hints_go_out_in_batches_and_all_arrive():
    take("JOBS")

    queue.hint(queue.JOBS, [{"job_sid": f"job_{number}"} for number in range(25)])

    assert sorted(take("JOBS")) == sorted(f"job_{number}" for number in range(25))


def test_a_queue_that_is_away_is_no_error(monkeypatch):
    monkeypatch.setenv("KEYWRIGHT_JOBS_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/gone")

    queue.hint(queue.JOBS, [{"job_sid": "job_1"}])

    monkeypatch.undo()
    assert take("JOBS") == []
