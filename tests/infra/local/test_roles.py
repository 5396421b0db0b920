"""A function's process is refused what its role does not allow; everything that the manifest permits passes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.iam import report
from infra.local.iam.enforcement import guard
from infra.local.iam.evaluator import Decision, Request, decide
from infra.local.iam.requests import Account, requests_of
from infra.local.iam.role import Role
from infra.local.iam.roles import role_of
from infra.manifest import FUNCTIONS, Permission, Queue, Secret
from infra.permissions import license_key_tags
from tests.buyers import add_buyer
from tests.infra.local.hosting import AWS, function, hosted, queue_settings, write_function
from tests.purchases import left, open_checkout, store, subscription_events
from tests.queue_hints import batch, failed
from tests.roles import playing, withholding

VALUES = {
    **AWS,
    **{f"KEYWRIGHT_{secret}_SECRET": f"keywright/{secret.lower()}" for secret in Secret},
    **{f"KEYWRIGHT_{queue}_QUEUE_URL": f"http://127.0.0.1:1/123456789012/{queue.lower()}" for queue in Queue},
    "KEYWRIGHT_EVENT_BUS": "keywright",
    "KEYWRIGHT_MAIL_CONFIGURATION_SET": "keywright",
    "KEYWRIGHT_MAIL_FROM": "Licenses <licenses@example.com>",
}

SENDER = """
    import boto3, os
    from botocore.exceptions import ClientError

    def handler(event, context):
        sqs = boto3.client("sqs")
        try:
            sqs.send_message_batch(QueueUrl=event["url"], Entries=[{"Id": "1", "MessageBody": "{}"}])
        except ClientError as refused:
            return {"refused": refused.response["Error"]}
        return {"sent": True}
"""


def role(name: str, **changes: Any) -> Role:
    (entry,) = (entry for entry in FUNCTIONS if entry.name == name)
    return role_of(entry, VALUES, **changes)


@pytest.fixture
def call() -> Callable[..., Any]:
    """Judge one call by a role without sending it."""

    def judged(current: Role, service: str, method: str, **parameters: Any) -> str | None:
        session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="x", region_name=AWS["AWS_REGION"])
        client = session.client(service, endpoint_url="http://127.0.0.1:9")
        client.meta.events.register("provide-client-params", guard(lambda: current))
        # Whatever the role lets through ends here, before the network.
        client.meta.events.register("before-call", lambda **_others: (_Passed(), {}))
        try:
            getattr(client, method)(**parameters)
        except ClientError as refused:
            return str(refused.response["Error"]["Message"])
        return None

    return judged


class _Passed:
    status_code = 200


def test_a_function_reads_its_own_secret_and_no_other(call: Any):
    webhook = role("stripe_webhook")

    assert call(webhook, "secretsmanager", "get_secret_value", SecretId="keywright/stripe") is None
    refused = call(webhook, "secretsmanager", "get_secret_value", SecretId="keywright/license_keys")

    assert refused.startswith(
        "User: arn:aws:sts::123456789012:assumed-role/stripe_webhook is not authorized to perform"
    )
    assert "secretsmanager:GetSecretValue" in refused


def test_mail_needs_the_right_sender_the_set_and_the_right_to_send_its_own_mime(call: Any):
    worker = role("job_worker")
    mail = {
        "FromEmailAddress": "Licenses <licenses@example.com>",
        "ConfigurationSetName": "keywright",
        "Destination": {"ToAddresses": ["a@b.example"]},
        "Content": {"Raw": {"Data": b"x"}},
    }
    without_raw = Role(
        worker.function,
        worker.region,
        worker.account,
        [
            {**statement, "Action": [action for action in statement["Action"] if action != "ses:SendRawEmail"]}
            for statement in worker.statements
        ],
    )

    assert call(worker, "sesv2", "send_email", **mail) is None
    assert "identity/evil.example" in call(
        worker, "sesv2", "send_email", **{**mail, "FromEmailAddress": "x@evil.example"}
    )
    assert "configuration-set/other" in call(worker, "sesv2", "send_email", **{**mail, "ConfigurationSetName": "other"})
    assert "ses:SendRawEmail" in call(without_raw, "sesv2", "send_email", **mail)


def test_events_go_to_the_own_bus_only(call: Any):
    worker = role("job_worker")

    def entries(*buses: str) -> list[dict[str, str]]:
        return [{"Source": "s", "DetailType": "d", "Detail": "{}", "EventBusName": bus} for bus in buses]

    assert call(worker, "events", "put_events", Entries=entries("keywright")) is None
    assert "event-bus/default" in call(worker, "events", "put_events", Entries=entries("keywright", "default"))


def test_a_call_that_nobody_has_described_is_refused(call: Any):
    assert "no rule here" in call(role("job_worker"), "secretsmanager", "list_secrets")


def test_every_permission_of_the_manifest_allows_something():
    permitted = {permission for entry in FUNCTIONS for permission in entry.permissions}

    assert permitted == set(Permission)
    for entry in FUNCTIONS:
        allowed = {action for statement in role(entry.name).statements for action in statement["Action"]}
        assert ("sqs:SendMessage" in allowed) == bool(entry.sends_to)


def test_a_batch_is_asked_for_as_the_single_action():
    asked = requests_of("sqs", "SendMessageBatch", {"QueueUrl": "http://x/1/jobs"}, Account("r", "1"))

    assert [(each.action, each.resource) for each in asked] == [("sqs:SendMessage", "arn:aws:sqs:r:1:jobs")]


def test_a_process_is_refused_the_queue_that_its_role_does_not_name_and_what_it_used_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    used = tmp_path / "used.jsonl"
    monkeypatch.setenv("PERMISSIONS_USED", str(used))
    write_function(tmp_path, "sender", SENDER)
    sender = function("sender", sends_to=(Queue.JOBS,))
    queues = [queue_settings(Queue.EVENTS), queue_settings(Queue.JOBS)]

    with hosted(tmp_path, sender, queues=queues) as host:
        sent = host.invoke("sender", {"url": host.url(Queue.JOBS)})
        refused = host.invoke("sender", {"url": host.url(Queue.EVENTS)})

    assert sent == {"sent": True}
    assert refused["refused"]["Code"] == "AccessDeniedException"
    assert "sqs:SendMessage on resource: arn:aws:sqs:eu-central-1:123456789012:events" in refused["refused"]["Message"]
    assert [json.loads(line)["resource"] for line in used.read_text().splitlines()] == [
        "arn:aws:sqs:eu-central-1:123456789012:jobs"
    ]


def test_what_nothing_used_is_reported_by_function_action_and_resource():
    notes = [
        json.dumps({"function": each.function, "action": action, "resource": resource.replace("??????", "AbCdEf")})
        for entry in FUNCTIONS
        for each in [role(entry.name)]
        for statement in each.statements
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]

    missing = [note for note in notes if not ("stripe_webhook" in note and "sqs:SendMessage" in note)]

    assert report.unused(notes) == []
    assert report.unused(missing) == ["stripe_webhook: sqs:SendMessage on events"]


def test_a_function_that_is_called_in_this_process_is_held_to_its_role(database: Any):
    queue = os.environ["KEYWRIGHT_JOBS_QUEUE_URL"]

    with playing("stripe_webhook"), pytest.raises(ClientError, match="not authorized to perform: sqs:SendMessage"):
        boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")

    assert boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="{}")["MessageId"]


@pytest.mark.parametrize("withheld", ["secretsmanager:GetSecretValue", "sqs:SendMessage"])
def test_a_permission_that_is_dropped_breaks_the_way_from_the_payment_to_the_license(
    clean_database: Any, invoke: Any, withheld: str, caplog: pytest.LogCaptureFixture
):
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    hints = batch(*({"event_id": sid} for sid in store(*subscription_events(buyer))))

    with withholding(withheld):
        broken = failed(invoke("license_worker", hints))
    mended = failed(invoke("license_worker", hints))

    assert broken or "hint not sent" in caplog.messages
    assert mended == []
    assert len(left()["licenses"]) == 1


@pytest.mark.parametrize(
    ("tags", "decision"),
    [
        (license_key_tags("local"), Decision.ALLOWED),
        (license_key_tags("production"), Decision.NOT_ALLOWED),
        ({"aws:ResourceTag/keywright-deployment": "local"}, Decision.NOT_ALLOWED),
        ({}, Decision.NOT_ALLOWED),
    ],
    ids=["its own", "of another deployment", "no license key", "untagged"],
)
def test_a_key_of_another_deployment_in_the_account_signs_nothing_here(tags: dict[str, str], decision: Decision):
    key = "arn:aws:kms:eu-central-1:123456789012:key/1"

    assert decide(role("job_worker").statements, Request("kms:Sign", key, tags)) is decision
