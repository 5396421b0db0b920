"""Other passwords, other addresses, one's own sessions: over HTTP, with the mails that the jobs would send."""

from __future__ import annotations

import json
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from keywright.identity import accounts, credentials
from keywright.identity.models import MailTokenInvalid
from keywright.platform import clock, db, secrets
from keywright.platform.connection import connect_with
from keywright.platform.db import Transaction
from tests.api import Api
from tests.integration.identity.people import (
    ORIGIN,
    PASSWORD,
    audited,
    log_in,
    mail_token,
    rows,
    run,
    sign_up,
    verified,
)

NEXT = "another horse entirely"


def reset_token(user_sid: str) -> str:
    begun = db.transact(lambda tx: credentials.begin_reset(tx, user_sid=user_sid, now=clock.now()))
    assert begun is not None
    return begun.token


def jobs(kind: str) -> list[dict[str, Any]]:
    return [json.loads(row["payload"]) for row in rows("SELECT payload FROM jobs WHERE kind = %(kind)s", kind=kind)]


def logs_in(call: Api, email: str, password: str) -> bool:
    return call("auth", "POST", "/v1/auth/login", body={"email": email, "password": password}).status == 200


def test_a_forgotten_password_is_reset_by_mail_which_ends_all_sessions_and_is_told(call: Api) -> None:
    user_sid = verified(now=clock.now())
    session = log_in(now=clock.now())
    forgot = call("auth", "POST", "/v1/auth/password/forgot", body={"email": "ada@example.com"})
    assert (forgot.status, forgot.json) == (202, {"status": "reset-sent"})
    assert jobs("identity.send-password-reset") == [{"user_sid": user_sid}]

    body = {"token": reset_token(user_sid), "password": NEXT}
    answers = [call("auth", "POST", "/v1/auth/password/reset", body=body) for _ in "12"]

    assert [answer.status for answer in answers] == [200, 422]
    assert call("auth", "GET", "/v1/me", token=session.access_token).status == 401
    assert (logs_in(call, "ada@example.com", NEXT), logs_in(call, "ada@example.com", PASSWORD)) == (True, False)
    assert [payload["notice"] for payload in jobs("identity.send-notice")] == ["PASSWORD_CHANGED"]
    assert "PASSWORD_RESET" in audited()


def test_a_newer_reset_mail_makes_the_older_worthless_and_half_an_hour_is_enough(call: Api) -> None:
    user_sid = verified(now=clock.now())
    older, newer = reset_token(user_sid), reset_token(user_sid)

    def at(token: str, minutes: int) -> None:
        now = clock.now() + timedelta(minutes=minutes)
        db.transact(lambda tx: credentials.check_reset_token(tx, token=token, now=now))

    with pytest.raises(MailTokenInvalid):
        at(older, 0)
    with pytest.raises(MailTokenInvalid):
        at(newer, 30)
    assert at(newer, 29) is None  # type: ignore[func-returns-value]  # it raises or says nothing


def test_a_reset_of_an_unproven_address_proves_it(call: Api) -> None:
    user_sid = sign_up(now=clock.now())

    call("auth", "POST", "/v1/auth/password/reset", body={"token": reset_token(user_sid), "password": NEXT})

    assert logs_in(call, "ada@example.com", NEXT)


def test_a_hundred_who_use_one_token_at_once_do_it_once(clean_database: object) -> None:
    token, password_hash = reset_token(verified(now=clock.now())), accounts.accept_password(NEXT)

    def use(_number: int) -> bool:
        connection = connect_with(secrets.read("DATABASE"))
        try:
            connection.begin()
            credentials.reset_password(
                Transaction(connection), token=token, password_hash=password_hash, origin=ORIGIN, now=clock.now()
            )
            connection.commit()
        except MailTokenInvalid:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(50) as users:
        assert sum(users.map(use, range(100))) == 1


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one(call: Api) -> None:
    verified(now=clock.now())
    here, there = log_in(now=clock.now()), log_in(now=clock.now())

    def change(current: str) -> int:
        body = {"current_password": current, "new_password": NEXT}
        return call("auth", "POST", "/v1/auth/password/change", body=body, token=here.access_token).status

    assert [change("not my password"), change(PASSWORD)] == [401, 200]
    assert call("auth", "GET", "/v1/me", token=here.access_token).status == 200
    assert call("auth", "GET", "/v1/me", token=there.access_token).status == 401
    assert [payload["notice"] for payload in jobs("identity.send-notice")] == ["PASSWORD_CHANGED"]


def test_another_address_becomes_the_users_once_it_is_proven_and_the_old_one_is_told(call: Api) -> None:
    user_sid = verified(now=clock.now())
    token = log_in(now=clock.now()).access_token
    body = {"email": "Ada@New.example.com", "password": PASSWORD}
    asked = call("auth", "POST", "/v1/auth/email/change", body=body, token=token)
    assert (asked.status, asked.json) == (202, {"status": "verification-sent"})
    assert call("auth", "GET", "/v1/me", token=token).json["email"] == "ada@example.com"
    begun = db.transact(lambda tx: credentials.begin_email_change(tx, user_sid=user_sid, now=clock.now()))
    assert begun is not None

    proven = call("auth", "POST", "/v1/auth/verify-email", body={"token": begun.token})

    assert (begun.email, proven.status) == ("ada@new.example.com", 200)
    assert call("auth", "GET", "/v1/me", token=token).json["email"] == "ada@new.example.com"
    assert (logs_in(call, "ada@new.example.com", PASSWORD), logs_in(call, "ada@example.com", PASSWORD)) == (True, False)
    (told,) = jobs("identity.send-notice")
    assert (told["notice"], told["email"]) == ("EMAIL_CHANGED", "ada@example.com")


def test_the_address_of_somebody_else_is_asked_for_in_vain_and_nobody_learns_it(call: Api) -> None:
    user_sid = verified(now=clock.now())
    verified("eve@example.com", now=clock.now())
    token = log_in(now=clock.now()).access_token

    asked = call(
        "auth", "POST", "/v1/auth/email/change", body={"email": "eve@example.com", "password": PASSWORD}, token=token
    )

    assert asked.status == 202
    assert db.transact(lambda tx: credentials.begin_email_change(tx, user_sid=user_sid, now=clock.now())) is None


def test_a_mailbox_is_not_flooded(clean_database: object) -> None:
    user_sid = sign_up(now=clock.now())

    sent = [
        db.transact(lambda tx: accounts.begin_verification(tx, user_sid=user_sid, now=clock.now())) for _ in range(9)
    ]

    assert len([mail for mail in sent if mail is not None]) == 5


def test_a_mail_for_one_registration_brings_no_other_to_life(clean_database: object) -> None:
    user_sid = sign_up(password="the password of somebody else", now=clock.now())
    earlier = mail_token(user_sid, now=clock.now())
    # As if the earlier mail had been made while the later registration was being written.
    kept = rows("SELECT * FROM mail_tokens")[0]
    sign_up(now=clock.now())
    db.transact(
        lambda tx: tx.run(
            "INSERT INTO mail_tokens (token_hash, user_sid, purpose, email, registration, created_at, expires_at)"
            " VALUES (%(token_hash)s, %(user_sid)s, %(purpose)s, %(email)s, %(registration)s, %(created_at)s,"
            " %(expires_at)s)",
            **{name: kept[name] for name in kept if name != "used_at"},
        )
    )

    with pytest.raises(MailTokenInvalid):
        db.transact(lambda tx: accounts.verify_email(tx, token=earlier, now=clock.now()))


def test_sessions_are_listed_with_device_and_place_and_ended_one_by_one_or_all(call: Api) -> None:
    verified(now=clock.now())
    body = {"email": "ada@example.com", "password": PASSWORD}
    agent = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"}
    here = call("auth", "POST", "/v1/auth/login", body=body, headers=agent).json["access_token"]
    there = call("auth", "POST", "/v1/auth/login", body=body).json["access_token"]

    listed = call("auth", "GET", "/v1/auth/sessions", token=here).json["items"]
    assert [(item["device"], item["address"], item["current"]) for item in listed] == [
        ("Firefox on Linux", "192.0.2.7", True),
        ("An unknown client", "192.0.2.7", False),
    ]
    path = f"/v1/auth/sessions/{listed[1]['session_sid']}"
    assert [call("auth", "DELETE", path, token=here).status for _ in "12"] == [200, 200]
    assert call("auth", "GET", "/v1/me", token=there).status == 401
    assert call("auth", "DELETE", "/v1/auth/sessions", token=here).json == {"ended": 1}
    assert call("auth", "GET", "/v1/me", token=here).status == 401


@pytest.mark.parametrize(
    "password",
    [
        "nul\x00 inside it",
        "  spaces around  ",
        "x" * 72 + "what comes after counts",
        ("éèà" * 171)[:512],
        "e\u0301le\u0300ve caf\u00e9",
        "\U0001f511\U0001f512\U0001f513",
    ],
)
def test_a_password_is_taken_exactly_as_it_was_given(call: Api, password: str) -> None:
    body = {"email": "ada@example.com", "password": password, "name": "Ada"}
    assert call("auth", "POST", "/v1/auth/register", body=body).status == 202
    run("UPDATE users SET email_verified_at = created_at")
    others = {
        password[:-1],
        password + "x",
        password.strip() + "y",
        password[:72],
        unicodedata.normalize("NFC", password),
    }

    assert logs_in(call, "ada@example.com", password)
    assert [other for other in others - {password} if logs_in(call, "ada@example.com", other)] == []


@pytest.mark.parametrize("password", ["seven77", "é" * 513, "a" * 1025, "password123", "P4ssw0rd2026!"])
def test_a_password_that_will_not_do_is_refused_wherever_it_is_set(call: Api, password: str) -> None:
    verified(now=clock.now())
    token = log_in(now=clock.now()).access_token

    answers = [
        call("auth", "POST", "/v1/auth/register", body={"email": "b@example.com", "password": password, "name": "B"}),
        call(
            "auth",
            "POST",
            "/v1/auth/password/change",
            body={"current_password": PASSWORD, "new_password": password},
            token=token,
        ),
    ]

    assert {answer.json["code"] for answer in answers} <= {"password-unacceptable", "request-invalid"}
    assert logs_in(call, "ada@example.com", PASSWORD)


def test_the_verification_mail_is_sent_again_to_who_waits_for_it(call: Api) -> None:
    user_sid = sign_up(now=clock.now())

    again = call("auth", "POST", "/v1/auth/verify-email/resend", body={"email": "ada@example.com"})

    assert (again.status, again.json) == (202, {"status": "verification-sent"})
    assert jobs("identity.send-verification") == [{"user_sid": user_sid}] * 2
