"""moto as one child process, and the mailbox in which its mail is read."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from infra.local.aws.mail import Mail, parse_mail
from infra.local.aws.mailbox import SHOWN, render
from infra.local.aws.provision import provision
from infra.local.children import Child
from infra.local.values import EVENT_BUS, MAIL_FROM, REGION, secret_id
from infra.manifest import Secret

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "infra.local.aws"]
SECRETS = {secret: {"of": secret.value} for secret in Secret}


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, Any]]:
    child = Child("aws", COMMAND, cwd=ROOT)
    try:
        ready = child.wait_ready()
        provision(ready["url"], SECRETS)
        yield ready
    finally:
        child.stop()


def client(aws: dict[str, Any], service: str) -> Any:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": REGION}
    return boto3.client(service, endpoint_url=aws["url"], **keys)


def send(aws: dict[str, Any], subject: str, *, text: str = "plain", html: str = "<p>rich</p>") -> None:
    to = "ann@example.com"
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Keywright <{MAIL_FROM}>", f"Ann <{to}>", subject
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    client(aws, "sesv2").send_email(
        FromEmailAddress=MAIL_FROM, Destination={"ToAddresses": [to]}, Content={"Raw": {"Data": mail.as_bytes()}}
    )


def read(aws: dict[str, Any], accept: str = "application/json") -> httpx.Response:
    return httpx.get(aws["mailbox_url"], headers={"accept": accept}, trust_env=False, timeout=60).raise_for_status()


def test_a_raw_mail_is_read_with_both_its_bodies(aws):
    send(aws, "Grüße", text="Zum Prüfen: https://portal.test/?token=abc&x=1", html="<p>schön</p>")

    mail = read(aws).json()[0]

    assert (mail["to"], mail["subject"]) == ("ann@example.com", "Grüße")
    assert mail["text"].strip() == "Zum Prüfen: https://portal.test/?token=abc&x=1"
    assert mail["html"].strip() == "<p>schön</p>"
    assert mail["at"].endswith("Z")


def test_the_newest_mail_comes_first(aws):
    for subject in ("first", "second", "third"):
        send(aws, subject)

    assert [mail["subject"] for mail in read(aws).json()[:3]] == ["third", "second", "first"]


def test_a_browser_gets_a_page_on_which_no_mail_can_run_anything(aws):
    send(aws, "<script>alert(1)</script>", text="<img src=x onerror=alert(2)>", html='<script>alert(3)</script>"')

    answer = read(aws, accept="text/html,application/xhtml+xml,*/*;q=0.8")

    assert answer.headers["content-type"].startswith("text/html")
    assert "&lt;img src=x" in answer.text
    assert "<script>" not in answer.text
    assert "<iframe sandbox " in answer.text


def test_the_page_shows_the_newest_and_says_how_many_more_there_are():
    mails = [Mail(to="ann@example.com", subject=f"No {n};", text="", html="", at="") for n in range(SHOWN + 3)]

    page, short = render(mails), render(mails[:1])

    assert f"Mailbox ({SHOWN + 3})" in page
    assert (f"No {SHOWN - 1};" in page, f"No {SHOWN};" in page) == (True, False)
    assert ("3 older ones" in page, "older ones" in short) == (True, False)


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_a_script_gets_json(aws, accept):
    assert read(aws, accept=accept).headers["content-type"] == "application/json"


def test_a_mail_from_an_address_that_was_not_verified_is_refused(aws):
    ses = client(aws, "sesv2")

    with pytest.raises(ses.exceptions.MessageRejected):
        ses.send_email(
            FromEmailAddress="stranger@example.com",
            Destination={"ToAddresses": ["ann@example.com"]},
            Content={"Raw": {"Data": b"From: stranger@example.com\r\nTo: ann@example.com\r\n\r\nhello"}},
        )


def test_every_secret_of_the_manifest_is_there(aws):
    vault = client(aws, "secretsmanager")

    found = {
        secret: json.loads(vault.get_secret_value(SecretId=secret_id(secret))["SecretString"]) for secret in Secret
    }

    assert found == SECRETS


def test_the_event_bus_takes_events(aws):
    entry = {"Source": "keywright", "DetailType": "license.issued", "Detail": "{}", "EventBusName": EVENT_BUS}

    assert client(aws, "events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def test_the_process_ends_when_its_parent_is_gone():
    with subprocess.Popen(COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()

        process.stdin.close()

        assert process.wait(timeout=30) == 0


def test_a_taken_port_ends_the_process_with_its_reason(aws):
    port = aws["url"].rpartition(":")[2]
    child = Child("aws", [*COMMAND, "--port", port], cwd=ROOT)
    try:
        deadline = time.monotonic() + 30
        while child.is_running and time.monotonic() < deadline:
            time.sleep(0.05)

        assert not child.is_running
        assert f"port {port} is in use" in child.obituary().lower()
    finally:
        child.stop()


def test_a_mail_without_html_has_an_empty_html_body():
    mail = parse_mail("To: a@example.com\nSubject: s\n\nonly text\n", recipients=["A <a@example.com>"], at="now")

    assert (mail.to, mail.text.strip(), mail.html) == ("a@example.com", "only text", "")
    assert os.linesep not in mail.subject
