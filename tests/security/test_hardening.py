"""Headers, limits and origins: on every route, in every answer, errors included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.local.limits import Limiter, Limits
from infra.manifest import CORS, FUNCTIONS, ClientRate, Rate
from keywright.platform.http import MAX_BODY, SECURITY_HEADERS
from tests.api import Answer, Api
from tests.conftest import Database
from tests.infra.local.hosting import ECHO, function, hosted, write_function
from tests.security import world
from tests.security.requests import FUNCTION_OF, request
from tests.security.world import STRANGERS

PORTAL = "https://portal.example.com"
FOREIGN = [
    "https://evil.example",
    "https://portal.example.com.evil.example",
    "https://evil-portal.example.com",
    "http://portal.example.com",
    "https://portal.example.com:8443",
    "https://PORTAL.example.com",
    "https://portal.example.com/",
    "null",
    "*",
    "",
]
# What an answer may say beside; each route's own policy for caches, the page's for scripts.
OWN = {"content-type", "x-correlation-id", "retry-after", "www-authenticate", "content-length", "content-disposition"}
OWN |= {"etag"}
EXCEPTIONS = {
    "GET /docs": {"content-security-policy"},
    "GET /.well-known/jwks.json": {"cache-control"},
    "GET /v1/license-keys": {"cache-control"},
    "GET /v1/products": {"cache-control"},
    "GET /v1/revocations": {"cache-control"},
}


def wrong_headers(route: str, answer: Answer) -> list[str]:
    expected = {name.lower(): value for name, value in SECURITY_HEADERS.items()}
    free = EXCEPTIONS.get(route, set())
    differing = [name for name, value in expected.items() if name not in free and answer.headers.get(name) != value]
    unknown = sorted(set(answer.headers) - set(expected) - OWN)
    return [f"{route} {answer.status}: {name}" for name in [*differing, *unknown]]


@pytest.mark.parametrize("route", sorted(FUNCTION_OF))
def test_every_answer_carries_the_same_headers(route: str, call: Api, clean_database: Database) -> None:
    world.make(clean_database)
    asked = request(route, STRANGERS[0], "absent")
    form = {"content-type": "text/plain"}

    answers = [
        call(asked.function, asked.method, asked.path, body=asked.body),
        call(asked.function, asked.method, asked.path, body="{broken"),
        call(asked.function, asked.method, asked.path, body="x=1", headers=form),
        call(asked.function, asked.method, asked.path, body="x" * (MAX_BODY + 1)),
        call(asked.function, asked.method, f"{asked.path}/nowhere"),
    ]

    assert [wrong for answer in answers for wrong in wrong_headers(route, answer)] == []
    assert all("Traceback" not in answer.text and "pymysql" not in answer.text for answer in answers)


def test_an_answer_without_a_header_or_with_one_too_many_is_caught() -> None:
    headers = {name.lower(): value for name, value in SECURITY_HEADERS.items()}
    headers |= {"x-powered-by": "python"}
    headers.pop("x-content-type-options")

    assert len(wrong_headers("GET /v1/me", Answer(200, headers, ""))) == 2


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        ("x" * (MAX_BODY + 1), {}, "body-too-large"),
        ("é" * (MAX_BODY // 2 + 1), {}, "body-too-large"),
        ("email=a", {"content-type": "application/x-www-form-urlencoded"}, "content-type-unsupported"),
        ("{}", {"content-type": "text/plain"}, "content-type-unsupported"),
        ("{}", {"content-type": ""}, "content-type-unsupported"),
        ("{}", {"content-type": "application/json; charset=utf-8"}, "request-invalid"),
    ],
)
def test_a_body_is_json_and_short(call: Api, body: str, headers: dict[str, str], code: str) -> None:
    answer = call("auth", "POST", "/v1/auth/login", body=body, headers=headers)

    assert answer.json["code"] == code


@pytest.mark.parametrize("field", ["role", "customer_sid", "active", "email_verified_at"])
def test_a_field_that_is_not_for_the_caller_to_set_is_refused(call: Api, field: str) -> None:
    body: dict[str, Any] = {"email": "a@example.com", "password": "correct horse", "name": "A", field: "MANAGER"}

    answer = call("auth", "POST", "/v1/auth/register", body=body)

    assert (answer.status, answer.json["errors"][0]["field"]) == (422, f"body.{field}")


def test_pages_of_the_portal_may_use_the_api_and_no_others(tmp_path: Path) -> None:
    write_function(tmp_path, "echo", ECHO)
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}

    with hosted(tmp_path, function("echo", "POST /v1/echo"), origins=[PORTAL]) as host:
        asked = host.http.options("/v1/echo", headers={**preflight, "origin": PORTAL})
        sent = host.http.post("/v1/echo", headers={"origin": PORTAL})
        refused = [
            answer
            for origin in FOREIGN
            for answer in (
                host.http.options("/v1/echo", headers={**preflight, "origin": origin}),
                host.http.post("/v1/echo", headers={"origin": origin}),
            )
        ]

    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, PORTAL)
    assert asked.headers["access-control-allow-methods"] == ",".join(CORS.methods)
    assert (sent.status_code, sent.headers["access-control-allow-origin"], sent.headers["vary"]) == (
        200,
        PORTAL,
        "origin",
    )
    assert "access-control-allow-credentials" not in {*asked.headers, *sent.headers}
    assert [name for answer in refused for name in answer.headers if name.startswith("access-control")] == []


def test_what_a_function_says_about_origins_is_dropped(tmp_path: Path) -> None:
    generous = """
        def handler(event, context):
            return {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}
    """
    write_function(tmp_path, "echo", generous)

    with hosted(tmp_path, function("echo", "GET /v1/echo"), origins=[PORTAL]) as host:
        answer = host.http.get("/v1/echo", headers={"origin": "https://evil.example"})

    assert "access-control-allow-origin" not in answer.headers


def test_who_sends_too_much_is_told_when_to_come_back(tmp_path: Path) -> None:
    write_function(tmp_path, "echo", ECHO)
    limits = Limits(client=ClientRate(requests=3, window_s=600))

    with hosted(tmp_path, function("echo", "GET /v1/echo"), limits=limits) as host:
        answers = [host.http.get("/v1/echo") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[3].json() == {"message": "Too Many Requests"}
    assert 0 < int(answers[3].headers["retry-after"]) <= 200


def test_a_route_an_address_and_the_whole_api_have_rates_of_their_own() -> None:
    limits = Limits(api=Rate(per_s=1, burst=150), client=ClientRate(requests=120, window_s=120))
    limiter = Limiter(FUNCTIONS, limits)

    def admitted(route: str, address: str, times: int) -> int:
        waits = [limiter.retry_after_s(route=route, address=address, now=0.0) for _ in range(times)]
        return waits.count(None)

    assert admitted("POST /v1/auth/login", "192.0.2.1", 200) == 100
    assert admitted("GET /v1/me", "192.0.2.1", 200) == 20
    assert admitted("POST /v1/webhooks/stripe", "192.0.2.1", 200) == 30
    assert limiter.retry_after_s(route="GET /v1/me", address="192.0.2.2", now=0.0) == 1
    assert limiter.retry_after_s(route="GET /v1/me", address="192.0.2.2", now=1.0) is None
