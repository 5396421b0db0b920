"""Requests and responses, and their way through ASGI. It knows nothing of Stripe."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from decimal import Decimal
from socket import SO_LINGER, SOL_SOCKET
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
    """
    One HTTP response.

    It is sent after ``hold_s`` or, if ``broken``, never: the connection breaks instead. ``ended`` is called then.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    hold_s: float = 0.0
    broken: bool = False
    ended: Callable[[], None] | None = None


def json_response(status: int, value: Any, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON, indented as Stripe indents it."""
    body = json.dumps(value, indent=2, default=_plain).encode()
    return Response(status, body, {"Content-Type": "application/json", **(headers or {})})


def _plain(value: Any) -> Any:
    """Write the few exact decimals that Stripe answers as numbers; nothing here computes with the result."""
    if isinstance(value, Decimal):
        return float(value)
    message = f"{value!r} has no JSON form"
    raise TypeError(message)


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


async def write_response(response: Response, receive: Receive, send: Send) -> None:
    """Send a whole response, or fail to as the response says."""
    try:
        gone = bool(response.hold_s) and await _hold(response.hold_s, receive)
        if response.broken and not gone:
            await _break(receive, send)
        elif not gone:
            await _write(response, send)
    finally:
        if response.ended is not None:
            response.ended()


async def _hold(seconds: float, receive: Receive) -> bool:
    """Wait; tell whether the caller hung up meanwhile."""
    try:
        await asyncio.wait_for(receive(), seconds)
    except TimeoutError:
        return False
    return True


async def _break(receive: Receive, send: Send) -> None:
    """Reset the connection: not closed in order, which a caller could take for an empty answer."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        message = "this server's connections cannot be broken"
        raise RuntimeError(message)
    transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(response: Response, send: Send) -> None:
    headers = {**response.headers, "Content-Length": str(len(response.body))}
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": response.body})
