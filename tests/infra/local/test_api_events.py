"""
Requests as API Gateway's events, and functions' answers as responses.
"""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from aws_lambda_powertools.utilities.parser.models import APIGatewayProxyEventV2Model
from hypothesis import given
from hypothesis import strategies as st

from infra.local.api_events import HttpRequest, api_event
from infra.local.api_responses import MalformedAnswer, http_response
from infra.local.gateway import Gateway
from infra.local.lambda_runtime.invocation import PAYLOAD_LIMIT
from infra.local.routes import RouteMatch, RouteTable
from infra.manifest import FUNCTIONS
from tests.infra.local.hosting import ECHO, HostedCloud, function, hosted, no_log, write_function

NOW = datetime(2026, 5, 27, 9, 8, 7, 650_000, tzinfo=UTC)
MATCH = RouteMatch("echo", "POST /v1/echo/{sid}", {"sid": "1"})

TEXT = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)
NAMES = st.sampled_from(["Host", "User-Agent", "Content-Type", "Cookie", "X-Thing", "x-thing", "Authorization"])
REQUESTS = st.builds(
    HttpRequest,
    method=st.sampled_from(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]),
    encoded_path=st.text(max_size=30).map(lambda path: "/" + quote(path)),
    query=st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=4).map(
        lambda pairs: "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    ),
    headers=st.lists(st.tuples(NAMES, TEXT), max_size=8),
    body=st.binary(max_size=50),
    source_ip=st.sampled_from(["127.0.0.1", "::1"]),
)


def event_of(**values: Any) -> dict[str, Any]:
    request = {"method": "POST", "encoded_path": "/v1/echo/1", "query": "", "headers": (), "body": b""} | values
    return api_event(HttpRequest(source_ip="127.0.0.1", **request), MATCH, request_id="r-1", now=NOW)


@given(request=REQUESTS)
def test_every_event_is_one_that_the_published_model_accepts(request: HttpRequest):
    event = json.loads(json.dumps(api_event(request, MATCH, request_id="r-1", now=NOW)))

    model = APIGatewayProxyEventV2Model.model_validate(event)

    body = base64.b64decode(event["body"]) if event["isBase64Encoded"] else event.get("body", "").encode()
    assert body == request.body
    assert model.requestContext.http.method == request.method


def test_headers_are_lower_case_and_repeated_ones_are_joined():
    event = event_of(headers=[("X-Thing", "a"), ("x-thing", "b"), ("Host", "api.example.com")])

    assert event["headers"]["x-thing"] == "a,b"
    assert event["requestContext"]["domainName"] == "api.example.com"
    assert event["requestContext"]["domainPrefix"] == "api"


def test_cookies_have_a_field_of_their_own():
    event = event_of(headers=[("Cookie", "a=1; b=2"), ("Cookie", "c=3")])

    assert event["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in event["headers"]


def test_query_parameters_are_decoded_and_repeated_ones_are_joined():
    event = event_of(query="a=1&a=2&b=x%20y&c=")

    assert event["queryStringParameters"] == {"a": "1,2", "b": "x y", "c": ""}
    assert event["rawQueryString"] == "a=1&a=2&b=x%20y&c="


def test_the_path_is_decoded_and_ends_at_an_encoded_question_mark():
    assert event_of(encoded_path="/v1/%C3%BC/a%3Fb")["rawPath"] == "/v1/ü/a"


def test_the_time_is_written_both_ways():
    context = event_of()["requestContext"]

    assert (context["time"], context["timeEpoch"]) == ("27/May/2026:09:08:07 +0000", 1779872887650)


@pytest.mark.parametrize(
    ("content_type", "body", "expected", "encoded"),
    [
        ("application/json; charset=utf-8", '{"ü": 1}'.encode(), '{"ü": 1}', False),
        ("text/csv", b"a,b", "a,b", False),
        ("application/json", b"\xff\xfe", "//4=", True),
        ("application/octet-stream", b"abc", "YWJj", True),
        ("application/x-www-form-urlencoded", b"a=b", "YT1i", True),
        ("", b"abc", "YWJj", True),
    ],
)
def test_a_body_is_text_only_where_its_type_says_so(content_type: str, body: bytes, expected: str, *, encoded: bool):
    event = event_of(headers=[("Content-Type", content_type)] if content_type else [], body=body)

    assert (event["body"], event["isBase64Encoded"]) == (expected, encoded)


def test_what_is_empty_is_left_out():
    event = api_event(
        HttpRequest("GET", "/", "", (), b"", "127.0.0.1"), RouteMatch("f", "GET /", {}), request_id="r", now=NOW
    )

    assert not {"body", "cookies", "queryStringParameters", "pathParameters"} & set(event)


def test_a_literal_segment_is_preferred_to_a_parameter():
    table = RouteTable([function("f", "GET /v1/{sid}", "GET /v1/me", "GET /{area}/me", "POST /v1/{sid}/file")])

    def key(method: str, path: str) -> str | None:
        match = table.find(method, path)
        return match.route_key if match else None

    assert key("GET", "/v1/me") == "GET /v1/me"
    assert key("GET", "/v1/x") == "GET /v1/{sid}"
    assert key("GET", "/v2/me") == "GET /{area}/me"
    assert [key("GET", path) for path in ("/v1/", "/v1", "/v1/me/", "/v1/x/file")] == [None] * 4


def test_an_encoded_slash_stays_in_its_parameter():
    match = RouteTable([function("f", "GET /v1/{sid}")]).find("GET", "/v1/a%2Fb")

    assert match == RouteMatch("f", "GET /v1/{sid}", {"sid": "a/b"})


def test_every_route_of_the_manifest_finds_its_own_function():
    table = RouteTable(FUNCTIONS)

    for entry in FUNCTIONS:
        for route in entry.routes:
            match = table.find(route.method, route.path.replace("{", "").replace("}", ""))
            assert match is not None
            assert (match.function, match.route_key) == (entry.name, f"{route.method} {route.path}")


@pytest.mark.parametrize(
    ("answer", "status", "content_type", "body"),
    [
        ({"statusCode": 201, "headers": {"Content-Type": "text/html"}, "body": "ü"}, 201, "text/html", "ü".encode()),
        ({"statusCode": "204"}, 204, "text/plain; charset=utf-8", b""),
        ({"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}, 200, "text/plain; charset=utf-8", b"\xff\x00"),
        (None, 200, "application/json", b"null"),
        ({"items": []}, 200, "application/json", b'{"items": []}'),
        ("hello", 200, "application/json", b"hello"),
        ([1], 200, "application/json", b"[1]"),
    ],
)
def test_answers_become_responses(answer: object, status: int, content_type: str, body: bytes):
    response = http_response(json.dumps(answer).encode())

    assert (response.status, response.body) == (status, body)
    assert dict(response.headers)["content-type"] == content_type


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "soon"},
        {"statusCode": 42},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "not base64!", "isBase64Encoded": True},
        {"statusCode": 200, "headers": {"X-Thing": ["a"]}},
        {"statusCode": 200, "headers": {"X-Thing": "a\r\nSet-Cookie: b"}},
        {"statusCode": 200, "headers": "text/html"},
    ],
)
def test_answers_that_are_no_response_are_refused(answer: object):
    with pytest.raises(MalformedAnswer):
        http_response(json.dumps(answer).encode())


def test_each_cookie_is_a_header_of_its_own():
    answer = {"statusCode": 200, "headers": {"X-N": 1, "X-B": True}, "cookies": ["a=1; Secure", "b=2"]}

    headers = http_response(json.dumps(answer).encode()).headers

    assert [header for header in headers if header[0] != "content-type"] == [
        ("x-n", "1"),
        ("x-b", "true"),
        ("set-cookie", "a=1; Secure"),
        ("set-cookie", "b=2"),
    ]


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("root")
    write_function(root, "echo", ECHO)
    write_function(root, "odd", "def handler(event, context):\n    return {'statusCode': 200, 'body': {}}\n")
    write_function(root, "empty", "def handler(event, context):\n    return {'statusCode': 204}\n")
    functions = [function("echo", "POST /v1/echo/{sid}"), function("odd", "GET /odd"), function("empty", "GET /empty")]
    with hosted(root, *functions) as host:
        yield host


def test_an_event_over_the_wire_holds_what_was_sent(echo: HostedCloud):
    headers = [("x-thing", "a"), ("X-Thing", "b"), ("cookie", "c=1"), ("content-type", "application/octet-stream")]

    answer = echo.http.post("/v1/echo/%C3%BC?a=1&a=2", headers=headers, content=b"\x00\xff" * 500_000)

    event = answer.json()
    APIGatewayProxyEventV2Model.model_validate(event)
    assert base64.b64decode(event["body"]) == b"\x00\xff" * 500_000
    assert event["pathParameters"] == {"sid": "ü"}
    assert event["headers"]["x-thing"] == "a,b"
    assert (event["cookies"], event["queryStringParameters"]) == (["c=1"], {"a": "1,2"})
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_a_chunked_body_arrives(echo: HostedCloud):
    answer = echo.http.post("/v1/echo/1", content=iter([b"ab", b"cd"]), headers={"content-type": "text/plain"})

    assert answer.json()["body"] == "abcd"


@pytest.mark.parametrize("size", [PAYLOAD_LIMIT, 10 * 1024 * 1024 + 1])
def test_a_body_that_is_too_large_is_refused(echo: HostedCloud, size: int):
    answer = echo.http.post("/v1/echo/1", content=b"x" * size, headers={"content-type": "text/plain"})

    assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})


def test_an_answer_without_content_arrives_as_such(echo: HostedCloud):
    answer = echo.http.get("/empty")

    assert (answer.status_code, answer.content) == (204, b"")


def test_an_answer_that_is_no_response_is_an_internal_error(echo: HostedCloud):
    answer = echo.http.get("/odd")

    assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert any("body is not a string" in line for _, line in echo.log)


def test_the_gateway_gives_up_before_a_function_does():
    finished = []

    async def invoke(name: str, payload: bytes, patience_s: float) -> bytes:
        await asyncio.sleep(0.2)
        finished.append(name)
        return b"{}"

    async def scenario() -> httpx.Response:
        table = RouteTable([function("slow", "GET /")])
        gateway: Any = Gateway(table, invoke, log=no_log, integration_limit_s=0.05)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url="http://api") as client:
            answer = await client.get("/")
        await asyncio.sleep(0.4)
        return answer

    answer = asyncio.run(scenario())

    assert (answer.status_code, answer.json()) == (503, {"message": "Service Unavailable"})
    assert finished == ["slow"]
