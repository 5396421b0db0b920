"""
The API behind a ``requests`` session: what the session sends becomes an event of API Gateway's, in this process.

The way there and back is the local gateway's own, and the event goes through JSON as it does on the way to Lambda.
"""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse

from infra.local.api_events import HttpRequest, api_event
from infra.local.api_responses import HttpResponse, http_response, message_response
from infra.local.routes import RouteTable
from infra.manifest import FUNCTIONS

BASE_URL = "http://api.example.test"

Invoke = Callable[[str, object], Any]

# A fixed moment: no handler reads the time of the event.
_ASKED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Gateway(HTTPAdapter):
    """Answers every request by the function that the manifest names for its route."""

    def __init__(self, invoke: Invoke) -> None:
        super().__init__()
        self._invoke = invoke
        self._routes = RouteTable(FUNCTIONS)
        self.address = "192.0.2.7"

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Return the answer; whatever goes wrong in a function is a 500 of the gateway's."""
        answer = self._answer(request)
        raw = HTTPResponse(
            io.BytesIO(answer.body), HTTPHeaderDict(answer.headers), answer.status, preload_content=False
        )
        return self.build_response(request, raw)

    def _answer(self, request: requests.PreparedRequest) -> HttpResponse:
        url, method = urlsplit(request.url or ""), request.method or ""
        if (match := self._routes.find(method, url.path)) is None:
            return message_response(404, "Not Found")
        asked = HttpRequest(method, url.path, url.query, _headers(request.headers), _bytes(request.body), self.address)
        event = api_event(asked, match, request_id=str(uuid.uuid4()), now=_ASKED_AT)
        try:
            answer = self._invoke(match.function, json.loads(json.dumps(event)))
            return http_response(json.dumps(answer).encode())
        except Exception as problem:  # noqa: BLE001  (API Gateway knows no more of it either)
            return message_response(500, f"Internal Server Error: {problem!r}")


def session(gateway: Gateway) -> requests.Session:
    """Return a session that reaches nothing but the API."""
    made = requests.Session()
    made.trust_env = False
    made.mount(BASE_URL, gateway)
    return made


def _headers(headers: Mapping[str, str | bytes]) -> list[tuple[str, str]]:
    return [(name, value if isinstance(value, str) else value.decode("latin-1")) for name, value in headers.items()]


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else body or b""
