"""The edge: what a client sees of an answer and of every kind of error."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

import pytest
from pydantic import Field

from keywright.platform import errors, http, log, problems
from tests.api import Context

CANARY = "the password is hunter2"

app = http.api()


class Greeting(http.Body):
    name: Annotated[str, Field(min_length=1, max_length=5)]
    times: Annotated[int, Field(ge=1)] = 1


class Greeted(http.Body):
    text: str


class Refused(errors.KeywrightError):
    """Any anticipated error; the route below chooses what it is."""

    code = "refused-here"
    title = "Refused"


KINDS = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Internal: 500,
    errors.Unavailable: 503,
}
BY_NAME = {kind.__name__: type(kind.__name__, (Refused, kind), {}) for kind in KINDS}


@app.post("/v1/greetings")
def greet(body: Greeting) -> Greeted:
    return Greeted(text=", ".join([f"Hello {body.name}"] * body.times))


@app.get("/v1/errors/<kind>")
def fail(kind: str) -> Greeted:
    raise BY_NAME[kind]("Not like that.")


@app.get("/v1/bug")
def bug() -> Greeted:
    raise ZeroDivisionError(CANARY)


@app.get("/v1/who")
def who() -> Greeted:
    return Greeted(text=f"{http.bearer(app)}|{http.source_address(app)}|{log.correlation_id()}")


handle = http.entrypoint(app)


def request(method: str, path: str, body: str | None = None, **headers: str) -> Any:
    return handle(event(method, path, body, **headers), Context())


def event(method: str, path: str, body: str | None = None, **headers: str) -> dict[str, Any]:
    given = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    where = {"method": method, "path": path, "sourceIp": "192.0.2.7", "userAgent": "tests", "protocol": "HTTP/1.1"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": given,
        "requestContext": {"http": where, "requestId": "request-of-gateway", "stage": "$default"},
        "body": body,
        "isBase64Encoded": False,
    }


def problem(answer: Any) -> dict[str, Any]:
    """Return the body of an error, having checked its form and its headers."""
    document: dict[str, Any] = json.loads(answer["body"])
    assert answer["headers"]["Content-Type"] == problems.MEDIA_TYPE
    assert document["status"] == answer["statusCode"]
    assert document["type"] == f"/problems/{document['code']}"
    assert document["correlation_id"] == answer["headers"]["x-correlation-id"]
    assert document.keys() - {"errors"} == {"type", "title", "status", "detail", "code", "correlation_id"}
    assert answer["headers"].items() >= http.SECURITY_HEADERS.items()
    return document


@pytest.mark.parametrize(("kind", "status"), [(kind.__name__, status) for kind, status in KINDS.items()])
def test_every_kind_of_error_is_a_problem_with_its_status(kind, status):
    document = problem(request("GET", f"/v1/errors/{kind}"))

    assert (document["status"], document["code"], document["detail"]) == (status, "refused-here", "Not like that.")


@pytest.mark.parametrize("kind", ["Unavailable", "TooMany"])
def test_a_client_is_told_when_to_come_back(kind):
    assert request("GET", f"/v1/errors/{kind}")["headers"]["Retry-After"] == "5"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ('{"name": "Ada", "colour": "red"}', ["body.colour"]),
        ('{"name": ""}', ["body.name"]),
        ('{"name": "Adalbert"}', ["body.name"]),
        ('{"name": 7, "times": "often"}', ["body.name", "body.times"]),
        ("{}", ["body.name"]),
        ("[]", ["body"]),
    ],
)
def test_a_wrong_field_is_named(body, fields):
    document = problem(request("POST", "/v1/greetings", body))

    assert (document["status"], document["code"]) == (422, "request-invalid")
    assert sorted(error["field"] for error in document["errors"]) == fields


@pytest.mark.parametrize(
    "body", ["{", "not json", '{"times": NaN}', '{"times": -Infinity}', '{"name": "Ada"', '{"name": "Ada"}}']
)
def test_a_body_that_is_no_json_is_refused_as_unreadable(body):
    document = problem(request("POST", "/v1/greetings", body))

    assert (document["status"], document["code"]) == (400, "body-invalid")


def test_a_missing_body_is_refused():
    assert problem(request("POST", "/v1/greetings"))["status"] in {400, 422}


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nowhere"), ("DELETE", "/v1/who"), ("GET", "/v1/é")])
def test_an_unknown_route_is_a_problem_too(method, path):
    document = problem(request(method, path))

    assert (document["status"], document["code"]) == (404, "route-not-found")


def test_a_bug_is_a_500_that_shows_nothing_of_itself(capsys):
    answer = request("GET", "/v1/bug")

    document = problem(answer)
    assert (document["status"], document["code"]) == (500, "internal-error")
    assert "hunter2" not in json.dumps(answer)
    assert "ZeroDivision" not in json.dumps(answer)


def test_a_good_answer_carries_the_security_headers():
    answer = request("POST", "/v1/greetings", '{"name": "Ada", "times": 2}')

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"text": "Hello Ada, Hello Ada"})
    assert answer["headers"].items() >= http.SECURITY_HEADERS.items()
    assert answer["headers"]["Cache-Control"] == "no-store"


@pytest.mark.parametrize("given", ["trace:1234.5-6_7", "Jq7sMhV4IAMEJNg=", "a" * 100])
def test_a_correlation_id_is_taken_from_the_client(given):
    answer = request("GET", "/v1/who", x_correlation_id=given)

    assert answer["headers"]["x-correlation-id"] == given
    assert json.loads(answer["body"])["text"].endswith(f"|{given}")


@pytest.mark.parametrize("given", ["", "short", "a" * 101, "line\nbreak1", "spaces in it", '{"json": 1}'])
def test_a_correlation_id_that_could_do_harm_is_replaced(given):
    assert request("GET", "/v1/who", x_correlation_id=given)["headers"]["x-correlation-id"] == "request-of-gateway"


def test_a_correlation_id_ends_with_its_request():
    request("GET", "/v1/who", x_correlation_id="of-another-caller")

    assert log.correlation_id() is None


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer aaaaaaaaaa.bbbbbbbbbb.cc", "aaaaaaaaaa.bbbbbbbbbb.cc"),
        ("bearer   aaaaaaaaaa.bbbbbbbbbb.cc", ""),
        ("bearer aaaaaaaaaa.bbbbbbbbbb.cc", "aaaaaaaaaa.bbbbbbbbbb.cc"),
        ("Basic aaaaaaaaaa.bbbbbbbbbb.cc", ""),
        ("Bearer short", ""),
        ("Bearer " + "a" * 5000, ""),
        ("", ""),
    ],
)
def test_a_bearer_token_is_read_if_it_has_the_shape_of_one(header, token):
    text = json.loads(request("GET", "/v1/who", authorization=header)["body"])["text"]

    assert text.split("|")[:2] == [token, "192.0.2.7"]


def test_entry_points_without_an_application_answer_in_the_same_form():
    refused = http.problem(errors.DatabaseUnavailable("Later."), correlation_id="message-1")
    accepted = http.accepted({"received": True}, correlation_id="message-1")

    assert problem(refused)["code"] == "database-unavailable"
    assert refused["headers"]["Retry-After"] == "5"
    assert (accepted["statusCode"], accepted["headers"]["x-correlation-id"]) == (200, "message-1")


@pytest.mark.parametrize(
    ("body", "is_wrapped"),
    [
        ("[" * 30_000, False),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, False),
        ('{"times": ' + "9" * 5000 + "}", False),
        (base64.b64encode(b'{"name": "\xff"}').decode(), True),
        ("e30", True),
        ("-_-_", True),
    ],
)
def test_a_body_without_end_or_beyond_text_is_refused_as_unreadable(body, is_wrapped):
    document = problem(handle({**event("POST", "/v1/greetings", body), "isBase64Encoded": is_wrapped}, Context()))

    assert (document["status"], document["code"]) == (400, "body-invalid")


def test_a_body_that_the_gateway_has_wrapped_is_read_and_measured_as_it_was_sent():
    def wrapped(body: bytes) -> Any:
        sent = {**event("POST", "/v1/greetings", base64.b64encode(body).decode()), "isBase64Encoded": True}
        return handle(sent, Context())

    longest = b'{"name": "Ada"}'.ljust(http.MAX_BODY)

    assert (wrapped(longest)["statusCode"], wrapped(longest + b" ")["statusCode"]) == (200, 413)


@pytest.mark.parametrize("media", ["Application/JSON", "application/json; charset=utf-8", " application/json"])
def test_a_type_is_the_same_however_it_is_written(media):
    assert request("POST", "/v1/greetings", '{"name": "Ada"}', content_type=media)["statusCode"] == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {"x-a": 1}},
        {"headers": []},
        {"requestContext": None},
        {"requestContext": {"http": {}}},
        {"rawPath": None},
        {"queryStringParameters": {"limit": ["1"]}},
        {"body": {"name": "Ada"}},
    ],
)
def test_what_is_no_event_of_a_request_is_answered_all_the_same(changes):
    document = problem(handle({**event("GET", "/v1/who"), **changes}, Context()))

    assert (document["status"], document["code"]) == (400, "request-unreadable")


@pytest.mark.parametrize("nothing", [None, [], "event", {}])
def test_what_is_no_event_at_all_is_answered_too(nothing):
    assert problem(handle(nothing, Context()))["correlation_id"] == "unknown-request"


@pytest.mark.parametrize("name", ["é", "\u0663", "\u00a0"])
def test_no_route_has_a_path_beyond_ascii(name):
    document = problem(request("GET", f"/v1/errors/{name}"))

    assert (document["status"], document["code"]) == (404, "route-not-found")
