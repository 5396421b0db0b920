from __future__ import annotations

import re
from datetime import timedelta

import jwt
import pytest

from keywright.platform import clock
from tests.api import Answer, Api
from tests.integration.identity.people import PASSWORD, log_in, mail_token, run, sign_up, verified

BODY = {"email": "ada@example.com", "password": PASSWORD, "name": "Ada"}


def comparable(answer: Answer) -> tuple[int, dict[str, object], dict[str, str]]:
    """Return all of an answer but what names the single request."""
    names = {name: value for name, value in answer.headers.items() if name != "x-correlation-id"}
    return answer.status, {**answer.json, "correlation_id": None}, names


def test_a_person_signs_up_verifies_logs_in_refreshes_and_logs_out(call: Api) -> None:
    registered = call("auth", "POST", "/v1/auth/register", body=BODY)
    assert (registered.status, registered.json) == (202, {"status": "verification-sent"})

    token = mail_token(sign_up(now=clock.now()), now=clock.now())
    verification = call("auth", "POST", "/v1/auth/verify-email", body={"token": token})
    assert (verification.status, verification.json) == (200, {"status": "verified"})

    login = call("auth", "POST", "/v1/auth/login", body={"email": "ada@example.com", "password": PASSWORD})
    assert login.status == 200
    assert set(login.json) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (login.json["token_type"], login.json["expires_in"]) == ("Bearer", 900)

    refreshed = call("auth", "POST", "/v1/auth/refresh", body={"refresh_token": login.json["refresh_token"]})
    assert refreshed.status == 200
    assert refreshed.json["refresh_token"] != login.json["refresh_token"]

    me = call("auth", "GET", "/v1/me", token=refreshed.json["access_token"])
    assert me.status == 200
    assert (me.json["email"], me.json["name"], me.json["role"]) == ("ada@example.com", "Ada", "USER")
    assert set(me.json) == {"user_sid", "email", "name", "role", "customer_sid", "customers"}
    (own,) = me.json["customers"]
    assert (own["customer_sid"], own["member_role"]) == (me.json["customer_sid"], "OWNER")

    logout = call("auth", "POST", "/v1/auth/logout", token=refreshed.json["access_token"])
    assert (logout.status, logout.json) == (200, {"status": "logged-out"})
    assert call("auth", "GET", "/v1/me", token=refreshed.json["access_token"]).status == 401


def test_registering_answers_the_same_bytes_whether_the_address_is_known(call: Api) -> None:
    verified("known@example.com")
    sign_up("unproven@example.com")

    answers = [
        call(
            "auth",
            "POST",
            "/v1/auth/register",
            body={**BODY, "email": email},
            headers={"x-correlation-id": "the-same-one"},
        )
        for email in ("known@example.com", "unproven@example.com", "new@example.com")
    ]

    assert answers[0].status == 202
    assert len({(answer.status, answer.text, repr(sorted(answer.headers.items()))) for answer in answers}) == 1


def test_logging_in_answers_the_same_bytes_whatever_is_wrong(call: Api) -> None:
    verified("ada@example.com")
    verified("gone@example.com")
    sign_up("unproven@example.com")
    run("UPDATE users SET active = 0 WHERE email = 'gone@example.com'")

    answers = [
        comparable(call("auth", "POST", "/v1/auth/login", body={"email": email, "password": password}))
        for email, password in [
            ("ada@example.com", "a wrong password"),
            ("nobody@example.com", PASSWORD),
            ("gone@example.com", PASSWORD),
            ("unproven@example.com", "a wrong password"),
            ("no address", PASSWORD),
        ]
    ]

    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "credentials-invalid"
    assert all(answer == answers[0] for answer in answers)


def test_an_unproven_address_is_named_only_to_who_knows_the_password(call: Api) -> None:
    sign_up()

    answer = call("auth", "POST", "/v1/auth/login", body={"email": "ada@example.com", "password": PASSWORD})

    assert (answer.status, answer.json["code"]) == (403, "email-not-verified")


def test_a_replayed_refresh_token_is_refused_and_the_revocation_stays(call: Api) -> None:
    verified(now=clock.now())
    first = log_in(now=clock.now())
    second = call("auth", "POST", "/v1/auth/refresh", body={"refresh_token": first.refresh_token})
    third = call("auth", "POST", "/v1/auth/refresh", body={"refresh_token": second.json["refresh_token"]})

    replayed = call("auth", "POST", "/v1/auth/refresh", body={"refresh_token": first.refresh_token})

    assert (replayed.status, replayed.json["code"]) == (401, "refresh-token-invalid")
    assert call("auth", "POST", "/v1/auth/refresh", body={"refresh_token": third.json["refresh_token"]}).status == 401
    assert call("auth", "GET", "/v1/me", token=third.json["access_token"]).status == 401


def test_a_client_that_lost_the_answer_to_a_refresh_gets_the_same_token_again(call: Api) -> None:
    verified(now=clock.now())
    first = log_in(now=clock.now())
    answers = [call("auth", "POST", "/v1/auth/refresh", body={"refresh_token": first.refresh_token}) for _ in "12"]

    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].json["refresh_token"] == answers[1].json["refresh_token"]
    assert call("auth", "GET", "/v1/me", token=answers[1].json["access_token"]).status == 200


@pytest.mark.parametrize(
    ("path", "body", "code", "field"),
    [
        ("register", {**BODY, "password": "short"}, "password-unacceptable", "body.password"),
        ("register", {**BODY, "password": "password123"}, "password-unacceptable", "body.password"),
        ("register", {**BODY, "password": "é" * 1000}, "password-unacceptable", "body.password"),
        ("register", {**BODY, "password": "x" * 1025}, "request-invalid", "body.password"),
        ("register", {**BODY, "email": "nowhere"}, "email-invalid", "body.email"),
        ("register", {**BODY, "email": "x" * 255}, "request-invalid", "body.email"),
        ("register", {**BODY, "name": "  "}, "request-invalid", "body.name"),
        ("register", {**BODY, "name": "Ada\r\nBcc: eve@example.com"}, "request-invalid", "body.name"),
        ("register", {**BODY, "role": "MANAGER"}, "request-invalid", "body.role"),
        ("register", {**BODY, "password": None}, "request-invalid", "body.password"),
        ("register", {**BODY, "name": "\ud800"}, "request-invalid", "body.name"),
        ("login", {"email": "ada@example.com"}, "request-invalid", "body.password"),
        ("refresh", {"refresh_token": ""}, "request-invalid", "body.refresh_token"),
        ("verify-email", {"token": "x" * 201}, "request-invalid", "body.token"),
    ],
)
def test_a_bad_field_is_named(call: Api, path: str, body: dict[str, object], code: str, field: str) -> None:
    answer = call("auth", "POST", f"/v1/auth/{path}", body=body)

    assert (answer.status, answer.json["code"]) == (422, code)
    assert [wrong["field"] for wrong in answer.json["errors"]] == [field]


@pytest.mark.parametrize("token", ["made-up", "", "ünïcode", "x" * 200])
def test_a_made_up_mail_token_is_refused(call: Api, token: str) -> None:
    answer = call("auth", "POST", "/v1/auth/verify-email", body={"token": token or "-"})

    assert (answer.status, answer.json["code"]) == (422, "mail-token-invalid")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/me"), ("POST", "/v1/auth/logout")])
@pytest.mark.parametrize("token", [None, "", "made-up", "a.b.c", "x" * 3000])
def test_without_a_good_access_token_nobody_is_anybody(call: Api, method: str, path: str, token: str | None) -> None:
    answer = call("auth", method, path, token=token)

    assert (answer.status, answer.json["code"]) == (401, "access-token-invalid")


def test_an_expired_access_token_is_refused(call: Api) -> None:
    verified()
    past = clock.now() - timedelta(minutes=16)

    answer = call("auth", "GET", "/v1/me", token=log_in(now=past).access_token)

    assert (answer.status, answer.json["code"]) == (401, "access-token-invalid")


def test_the_published_keys_verify_an_access_token(call: Api) -> None:
    verified()
    token = log_in(now=clock.now()).access_token

    answer = call("auth", "GET", "/.well-known/jwks.json")

    keys = jwt.PyJWKSet.from_dict(answer.json)
    kid = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(token, keys[kid], algorithms=["RS256"], audience="keywright")
    assert claims["email"] == "ada@example.com"
    assert re.search(r"max-age=\d+", answer.headers["cache-control"])
    assert "d" not in answer.json["keys"][0]
