"""Requests and responses, and their way through ASGI. It knows nothing of Stripe."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """One HTTP request, its body read to the end. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    client_host: str


@dataclass
class Response:
    """One HTTP response."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def json_response(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON, indented as Stripe indents it."""
    body = json.dumps(value, indent=2).encode()
    return Response(status, body, {"Content-Type": "application/json", **(headers or {})})


def page_response(status: int, html: str) -> Response:
    """Answer with a page that may load nothing."""
    # Pages hold forms that pay; another site must not be able to frame them.
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    return Response(
        status,
        html.encode(),
        {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, "Cache-Control": "no-store"},
    )


def redirect(url: str) -> Response:
    """Send a browser on with GET, whatever it came with."""
    return Response(303, b"", {"Location": url})


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Read a whole request, body included."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        client_host=scope["client"][0] if scope.get("client") else "",
    )


async def write_response(response: Response, send: Send) -> None:
    """Send a whole response."""
    headers = {**response.headers, "Content-Length": str(len(response.body))}
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": response.body})
