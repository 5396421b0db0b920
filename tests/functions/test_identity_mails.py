"""From a request over HTTP to the mail that a job sends, and back by the token that the mail holds."""

from __future__ import annotations

import re
from typing import Any

import pytest

from keywright.jobs import service as jobs
from keywright.platform import clock, db
from tests.api import Api
from tests.integration.identity.people import PASSWORD, log_in, rows, run, sign_up, verified
from tests.queue_hints import batch, drop, failed, take

NEXT = "another horse entirely"


@pytest.fixture
def post(call: Api, invoke: Any) -> Any:
    """Send a request and run the jobs that it enqueued."""
    drop("JOBS")

    def send(path: str, body: dict[str, str], *, function: str = "auth", token: str | None = None) -> Any:
        answer = call(function, "POST", path, body=body, token=token)
        assert failed(invoke("job_worker", batch(*({"job_sid": sid} for sid in take("JOBS"))))) == []
        return answer

    return send


def token_in(mail: Any) -> str:
    found = re.search(r"Your \w+ token is (\S+)", mail["text"])
    assert found is not None
    return found[1]


def test_a_forgotten_password_goes_by_mail_and_the_change_is_told(post: Any, mailbox: Any) -> None:
    verified(now=clock.now())

    post("/v1/auth/password/forgot", {"email": "ada@example.com"})
    mail = mailbox()[0]
    post("/v1/auth/password/reset", {"token": token_in(mail), "password": NEXT})

    assert (mail["to"], mail["subject"]) == ("ada@example.com", "Choose another password")
    assert "https://portal.example.test/reset-password?token=" in mail["text"]
    assert mailbox()[0]["subject"] == "Your password was changed"
    assert post("/v1/auth/login", {"email": "ada@example.com", "password": NEXT}).status == 200


def test_another_address_is_confirmed_by_mail_to_it_and_told_to_the_old_one(post: Any, mailbox: Any) -> None:
    verified(now=clock.now())
    token = log_in(now=clock.now()).access_token

    post("/v1/auth/email/change", {"email": "new@example.com", "password": PASSWORD}, token=token)
    mail = mailbox()[0]
    post("/v1/auth/verify-email", {"token": token_in(mail)})

    assert (mail["to"], mail["subject"]) == ("new@example.com", "Confirm your new e-mail address")
    told = next(item for item in mailbox() if item["subject"] == "Your e-mail address was changed")
    assert told["to"] == "ada@example.com"


def test_who_signs_up_again_is_told_that_there_is_an_account(post: Any, mailbox: Any) -> None:
    verified(now=clock.now())

    post("/v1/auth/register", {"email": "ada@example.com", "password": NEXT, "name": "Eve"})

    assert mailbox()[0]["subject"] == "You have an account already"
    assert "Hello Ada," in mailbox()[0]["text"]


def test_an_unknown_address_is_written_to_by_nobody(post: Any, mailbox: Any) -> None:
    before = len(mailbox())

    post("/v1/auth/password/forgot", {"email": "nobody@example.com"})
    post("/v1/auth/verify-email/resend", {"email": "nobody@example.com"})

    assert len(mailbox()) == before
    assert {row["state"] for row in rows("SELECT state FROM jobs")} == {"COMPLETED"}


def test_the_verification_is_mailed_again_and_only_the_newest_counts(post: Any, mailbox: Any) -> None:
    sign_up(now=clock.now())
    tokens = []
    for _ in "12":
        post("/v1/auth/verify-email/resend", {"email": "ada@example.com"})
        tokens.append(token_in(mailbox()[0]))

    answers = [post("/v1/auth/verify-email", {"token": token}).status for token in tokens]

    assert answers == [422, 200]


def test_a_replayed_refresh_token_is_told_to_the_owner(post: Any, mailbox: Any) -> None:
    verified(now=clock.now())
    first = log_in(now=clock.now()).refresh_token
    second = post("/v1/auth/refresh", {"refresh_token": first}).json["refresh_token"]
    post("/v1/auth/refresh", {"refresh_token": second})

    assert post("/v1/auth/refresh", {"refresh_token": first}).status == 401

    assert mailbox()[0]["subject"] == "One of your sessions was ended"


def test_an_invitation_is_mailed_and_accepted(post: Any, mailbox: Any, call: Api) -> None:
    verified(now=clock.now())
    verified("grace@example.com", now=clock.now())
    ada, grace = (log_in(f"{name}@example.com", now=clock.now()).access_token for name in ("ada", "grace"))
    customer_sid = call("auth", "GET", "/v1/me", token=ada).json["customer_sid"]

    path = f"/v1/customers/{customer_sid}/invitations"
    post(path, {"email": "grace@example.com"}, function="customers", token=ada)
    mail = mailbox()[0]
    accepted = post("/v1/invitations/accept", {"token": token_in(mail)}, function="customers", token=grace)

    assert (mail["to"], mail["subject"]) == ("grace@example.com", "You are invited to Ada")
    assert accepted.json == {"customer_sid": customer_sid, "member_role": "MEMBER"}


def test_what_has_served_is_cleaned_up(post: Any, invoke: Any) -> None:
    verified(now=clock.now())
    log_in(now=clock.now())
    run("UPDATE throttles SET paid_until = '2020-01-01'")
    run("UPDATE known_networks SET last_used_at = '2020-01-01'")
    drop("JOBS")
    db.transact(lambda tx: jobs.enqueue(tx, "platform.clean-up", {}, key="test", now=clock.now()))

    assert failed(invoke("job_worker", batch(*({"job_sid": sid} for sid in take("JOBS"))))) == []

    assert rows("SELECT 1 FROM throttles UNION ALL SELECT 1 FROM known_networks") == []
