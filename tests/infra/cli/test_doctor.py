"""The doctor finds a healthy deployment healthy, and says what is wrong with one that is hurt in several ways."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from stripe import StripeClient

from infra.cli import deployment, doctor
from infra.cli.commands import main
from infra.cli.examinations import aws, partners
from infra.cli.examinations import database as database_examinations
from infra.cli.examinations.findings import Finding, Verdict
from infra.cli.stripe_events import ENABLED_EVENTS
from keywright.jobs.kinds import RECURRING
from keywright.platform import db, secrets
from keywright.platform.stripe_client import API_VERSION
from tests.checkouts import control
from tests.integration.identity.people import run

pytestmark = pytest.mark.usefixtures("clean_database")

WEBHOOK = "https://api.example.test/v1/webhooks/stripe"

FORM = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PUBLIC = Ed25519PrivateKey.generate().public_key().public_bytes(*FORM).decode()
RSA_PUBLIC = generate_private_key(65537, 2048).public_key().public_bytes(*FORM).decode()


@pytest.fixture
def healthy(stripe_account: StripeClient, invoke: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything but a running API: queues with dead letters, the endpoint, the schedules' rows."""
    sqs = boto3.client("sqs")
    for name in ("EVENTS", "JOBS"):
        dead = sqs.create_queue(QueueName=f"{name}-dead-{os.urandom(8).hex()}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "5"})
        url = sqs.create_queue(QueueName=f"{name}-{os.urandom(8).hex()}", Attributes={"RedrivePolicy": redrive})[
            "QueueUrl"
        ]
        monkeypatch.setenv(f"KEYWRIGHT_{name}_QUEUE_URL", url)
        monkeypatch.setenv(f"DEAD_{name}_QUEUE_URL", dead)
    endpoint = stripe_account.v1.webhook_endpoints.create(
        params={"url": WEBHOOK, "enabled_events": ENABLED_EVENTS, "api_version": API_VERSION}  # type: ignore[typeddict-item]
    )
    for kind in RECURRING:
        invoke("dispatcher", {"do": "enqueue", "kind": kind})
    yield
    stripe_account.v1.webhook_endpoints.delete(endpoint.id)
    secrets.forget()


def wrong(**examinations: doctor.Examination) -> list[str]:
    return [finding.says for finding in doctor.examine(examinations) if finding.verdict is Verdict.WRONG]


def test_a_healthy_deployment_has_nothing_wrong_but_the_api_that_does_not_run_here(
    healthy: None, capsys: pytest.CaptureFixture[str]
):
    status = main(["doctor"])

    said = capsys.readouterr().out
    lines = [line for line in said.splitlines() if line.startswith("WRONG")]
    assert status == 1
    assert lines
    assert {line.split()[1] for line in lines} == {"API"}
    for area in set(doctor.EXAMINATIONS) - {"API"}:
        assert f"ok    {area}" in said


def test_no_secret_is_printed(healthy: None, capsys: pytest.CaptureFixture[str]):
    main(["doctor"])

    said = capsys.readouterr()
    held = [secrets.read("STRIPE")["api_key"], secrets.read("DATABASE")["password"]]
    assert [value for value in held if value in said.out + said.err] == []


def test_a_secret_that_was_never_filled_is_named(healthy: None, monkeypatch: pytest.MonkeyPatch):
    boto3.client("secretsmanager").create_secret(Name=(name := f"empty-{os.urandom(8).hex()}"))
    monkeypatch.setenv("KEYWRIGHT_LICENSE_KEYS_SECRET", name)
    secrets.forget()

    (said,) = wrong(secrets=aws.secrets_hold_what_they_should)

    assert said.startswith("LICENSE_KEYS cannot be read")


def test_a_key_of_the_wrong_kind_is_named(healthy: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEYWRIGHT_LICENSE_KEYS_SECRET", os.environ["KEYWRIGHT_ACCESS_TOKEN_KEYS_SECRET"])
    secrets.forget()

    assert wrong(secrets=aws.secrets_hold_what_they_should) == ["LICENSE_KEYS holds a key that is no Ed25519PrivateKey"]


def test_a_portal_without_a_configuration_is_named(healthy: None, stripe_account: StripeClient):
    for left in stripe_account.v1.billing_portal.configurations.list({"active": True}).auto_paging_iter():
        if not left.is_default:
            stripe_account.v1.billing_portal.configurations.update(left.id, {"active": False})
    control("portal", default="none")
    try:
        said = wrong(stripe=partners.stripe_knows_us)
    finally:
        control("portal", default="there")

    assert said == ["has no configuration of the customer portal: run stripe setup"]


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ({"public_pem": PUBLIC}, None),
        ({"kms_key_id": "arn:aws:kms:eu-central-1:000000000000:key/1"}, None),
        ({"public_pem": "-----BEGIN PUBLIC KEY-----"}, "LICENSE_KEYS holds a key that cannot be read"),
        ({"public_pem": RSA_PUBLIC}, "LICENSE_KEYS holds a key that is no Ed25519PublicKey"),
        ({"kms_key_id": ""}, "LICENSE_KEYS holds a key that cannot be read"),
        ({}, "LICENSE_KEYS holds a key that cannot be read"),
    ],
    ids=["retired", "in KMS", "cut off", "of another kind", "of no name", "empty"],
)
def test_license_keys_may_be_in_kms_or_retired(
    healthy: None, monkeypatch: pytest.MonkeyPatch, key: dict[str, str], fault: str | None
):
    ring = {"keys": [*secrets.read("LICENSE_KEYS")["keys"], {"kid": "lk-0", **key}]}
    name = f"ring-{os.urandom(8).hex()}"
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(ring))
    monkeypatch.setenv("KEYWRIGHT_LICENSE_KEYS_SECRET", name)
    secrets.forget()

    assert wrong(secrets=aws.secrets_hold_what_they_should) == ([fault] if fault else [])


def test_a_message_that_was_given_up_is_counted(healthy: None):
    boto3.client("sqs").send_message(QueueUrl=os.environ["DEAD_JOBS_QUEUE_URL"], MessageBody="{}")

    assert wrong(queues=aws.queues_flow) == ["JOBS has given up 1 messages: docs/runbook.md#dead-letters"]


def test_a_queue_without_dead_letters_is_named(healthy: None, monkeypatch: pytest.MonkeyPatch):
    url = boto3.client("sqs").create_queue(QueueName="without-dead-letters")["QueueUrl"]
    monkeypatch.setenv("KEYWRIGHT_JOBS_QUEUE_URL", url)

    assert wrong(queues=aws.queues_flow) == ["JOBS has no dead-letter queue: deploy again"]


def test_an_unknown_sender_is_named(healthy: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KEYWRIGHT_MAIL_FROM", "x@nobody.example")

    (said,) = wrong(mail=aws.mail_may_be_sent)

    assert said.startswith("SES does not know x@nobody.example")


def test_an_account_that_writes_to_nobody_but_itself_is_named(healthy: None):
    account = boto3.client("sesv2")
    details: Any = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://www.example.test"}
    account.put_account_details(**details, ProductionAccessEnabled=False)
    try:
        (said,) = wrong(mail=aws.mail_may_be_sent)
    finally:
        account.put_account_details(**details, ProductionAccessEnabled=True)

    assert said.startswith("SES is in its sandbox")


@pytest.fixture
def named_account(healthy: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have the secret name an account."""

    def name(account_id: str) -> None:
        value = json.dumps({**secrets.read("STRIPE"), "account_id": account_id})
        secret = f"keywright/STRIPE-{os.urandom(8).hex()}"
        boto3.client("secretsmanager").create_secret(Name=secret, SecretString=value)
        monkeypatch.setenv("KEYWRIGHT_STRIPE_SECRET", secret)
        secrets.forget()

    return name


def test_an_account_that_nobody_named_is_noted_and_fails_nothing(healthy: None):
    findings = list(doctor.examine({"Stripe": partners.stripe_knows_us}))

    (note,) = [finding.says for finding in findings if finding.verdict is Verdict.NOTE]
    assert note.startswith("account_id is not in the secret")
    assert wrong(Stripe=partners.stripe_knows_us) == []


def test_an_account_that_is_not_the_keys_is_named(named_account: Callable[[str], None], stripe_account: StripeClient):
    told = stripe_account.v1.accounts.retrieve_current().id

    named_account("acct_another")
    (said,) = wrong(Stripe=partners.stripe_knows_us)
    named_account(told)

    assert said == f"knows the key as {told}'s, and the secret names acct_another: run stripe setup"
    findings = doctor.examine({"Stripe": partners.stripe_knows_us})
    assert {finding.verdict for finding in findings} == {Verdict.FINE}


def test_schedules_that_do_not_come_are_noticed(healthy: None):
    run("UPDATE jobs SET created_at = created_at - INTERVAL 3 DAY WHERE kind = 'reconciliation.event-gap'")

    (said,) = wrong(schedules=database_examinations.is_visited_by_schedules)

    assert said.startswith("overdue: reconciliation.event-gap.")


def test_a_migration_that_is_missing_is_named(healthy: None, database: Any):
    (last,) = database.execute("SELECT MAX(migration_id) AS id FROM _yoyo_migration")
    rows = database.execute("SELECT * FROM _yoyo_migration WHERE migration_id = %s", last["id"])
    database.execute("DELETE FROM _yoyo_migration WHERE migration_id = %s", last["id"])
    try:
        (said,) = wrong(schema=doctor.EXAMINATIONS["schema"])
    finally:
        columns = ", ".join(rows[0])
        marks = ", ".join(["%s"] * len(rows[0]))
        database.execute(f"INSERT INTO _yoyo_migration ({columns}) VALUES ({marks})", *rows[0].values())

    assert said == f"not applied: {last['id']}. Invoke the function migrate, or deploy"


def test_a_database_that_does_not_answer_is_one_finding_and_stops_no_other(
    healthy: None, monkeypatch: pytest.MonkeyPatch
):
    value = {**secrets.read("DATABASE"), "port": 9}
    boto3.client("secretsmanager").create_secret(
        Name=(name := f"away-{os.urandom(8).hex()}"), SecretString=json.dumps(value)
    )
    monkeypatch.setenv("KEYWRIGHT_DATABASE_SECRET", name)
    secrets.forget()
    db.discard()

    found = list(doctor.examine({"database": database_examinations.answers_and_is_set_up, "queues": aws.queues_flow}))
    db.discard()

    assert [finding.verdict for finding in found] == [Verdict.WRONG, Verdict.FINE, Verdict.FINE]
    assert "does not answer" in found[0].says


def test_an_endpoint_of_another_version_is_noticed(healthy: None, stripe_account: StripeClient):
    endpoints = stripe_account.v1.webhook_endpoints
    for endpoint in [each for each in endpoints.list().auto_paging_iter() if each.url == WEBHOOK]:
        endpoints.update(endpoint.id, params={"disabled": True})
    other = endpoints.create(params={"url": WEBHOOK, "enabled_events": ["invoice.paid"]})

    said = wrong(Stripe=partners.stripe_knows_us)
    endpoints.delete(other.id)
    nothing = wrong(Stripe=partners.stripe_knows_us)

    assert any("delivers in version" in line for line in said)
    assert any("keeps back" in line for line in said)
    assert nothing == [f"delivers nothing to {WEBHOOK}: run stripe setup"]


def test_what_died_is_counted(healthy: None):
    run("UPDATE jobs SET state = 'DEAD', finished_at = created_at WHERE kind = 'catalog.sync'")

    assert wrong(stuck=database_examinations.holds_nothing_that_was_given_up) == [
        "1 jobs are DEAD: docs/runbook.md#jobs-dead"
    ]


def test_the_variables_of_a_stack_are_those_of_its_functions():
    class Pages:
        def paginate(self, StackName: str) -> list[dict[str, Any]]:  # noqa: N803
            kinds = {"fn": "AWS::Lambda::Function", "bucket": "AWS::S3::Bucket"}
            rows = [{"ResourceType": kind, "PhysicalResourceId": name} for name, kind in kinds.items()]
            return [{"StackResourceSummaries": rows}] if StackName == "keywright-x" else []

    class CloudFormation:
        def get_paginator(self, _name: str) -> Pages:
            return Pages()

    class Lambda:
        def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
            assert FunctionName == "fn"
            return {"Environment": {"Variables": {"KEYWRIGHT_API_URL": "https://x", "PATH": "/bin"}}}

    assert deployment.variables(CloudFormation(), Lambda(), "keywright-x") == {"KEYWRIGHT_API_URL": "https://x"}


def test_a_finding_reads_as_a_line():
    assert str(Finding.fine("queues", "flow")) == "ok    queues     flow"
