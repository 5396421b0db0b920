"""Calls a function in this process as API Gateway would: a version 2.0 event in, an answer out."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from infra.local.api_events import TEXT_TYPES
from infra.manifest import FUNCTIONS


class Context:
    """What a handler asks of Lambda's context."""

    function_name = "test"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:test"
    aws_request_id = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@dataclass(frozen=True)
class Answer:
    """What came back; ``json`` is None where the body is no JSON."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text) if self.text.startswith(("{", "[")) else None


class Api:
    """Callable: function, method, path; optionally a JSON or raw body, a token, headers, a query."""

    def __init__(self, invoke: Callable[[str, object], Any]) -> None:
        self._invoke = invoke

    def __call__(
        self,
        function: str,
        method: str,
        path: str,
        *,
        body: object = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> Answer:
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        sent = {"content-type": "application/json", **(headers or {})}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        event = event_of(function, method, path, body=text, headers=sent, query=query or {})
        answer = self._invoke(function, _wrapped(event))
        return Answer(
            answer["statusCode"],
            {name.lower(): value for name, value in answer.get("headers", {}).items()},
            answer.get("body") or "",
        )


def event_of(
    function: str, method: str, path: str, *, body: str | None, headers: dict[str, str], query: dict[str, str]
) -> dict[str, Any]:
    """Return the API Gateway event of a request to a route of the function."""
    template, parameters = _route(function, method, path)
    return {
        "version": "2.0",
        "routeKey": f"{method} {template}",
        "rawPath": path,
        "rawQueryString": urlencode(query),
        "headers": headers,
        "queryStringParameters": query,
        "pathParameters": parameters,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "test",
            "domainName": "api.example.test",
            "domainPrefix": "api",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": headers.get("user-agent", "tests"),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": f"{method} {template}",
            "stage": "$default",
            "time": "21/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795262400000,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def _wrapped(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event with its body in base64, unless API Gateway takes the body's type for text."""
    media = event["headers"].get("content-type", "").partition(";")[0].strip().lower()
    if not event["body"] or media.startswith("text/") or media in TEXT_TYPES:
        return event
    body = base64.b64encode(event["body"].encode("utf-8", "surrogatepass")).decode()
    return {**event, "body": body, "isBase64Encoded": True}


def _route(function: str, method: str, path: str) -> tuple[str, dict[str, str]]:
    routes = next(entry.routes for entry in FUNCTIONS if entry.name == function)
    for route in routes:
        parts, wanted = path.split("/"), route.path.split("/")
        if route.method == method and len(parts) == len(wanted):
            pairs = list(zip(wanted, parts, strict=True))
            if all(want == part or want.startswith("{") for want, part in pairs):
                return route.path, {want.strip("{}"): part for want, part in pairs if want.startswith("{")}
    return path, {}
