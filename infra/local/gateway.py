"""
The HTTP API: requests in, Lambda events out, and back. An ASGI application.

It keeps API Gateway's limits and speaks API Gateway's errors. It runs no function itself, and it knows no
route that the manifest does not name.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Collection, Coroutine, MutableMapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from infra.local import cors
from infra.local.api_events import HttpRequest, api_event
from infra.local.api_responses import HttpResponse, MalformedAnswer, http_response, message_response
from infra.local.http_server import Receive, Send
from infra.local.lambda_runtime.invocation import PAYLOAD_LIMIT, InvocationFailed, Throttled
from infra.local.limits import Limiter
from infra.local.log import Log
from infra.local.routes import RouteMatch, RouteTable

# Both are API Gateway's quotas for HTTP APIs.
BODY_LIMIT = 10 * 1024 * 1024
INTEGRATION_LIMIT_S = 30.0

Invoke = Callable[[str, bytes, float], Coroutine[Any, Any, bytes]]
"""Function name, event, and how long to wait for a free process."""


class Gateway:
    """Routes requests to functions."""

    def __init__(
        self,
        routes: RouteTable,
        invoke: Invoke,
        *,
        log: Log,
        limiter: Limiter | None = None,
        origins: Collection[str] = (),
        integration_limit_s: float = INTEGRATION_LIMIT_S,
    ) -> None:
        self._routes = routes
        self._limiter = limiter
        self._origins = origins
        self._invoke = invoke
        self._log = log
        self._limit_s = integration_limit_s
        # Held here, because a task that nobody refers to may be collected while it runs.
        self._running: set[asyncio.Task[bytes]] = set()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """
        Answer one request.
        """
        started = time.perf_counter()
        try:
            response = await self._answer(scope, receive)
        except _ClientGone:
            return
        took_ms = (time.perf_counter() - started) * 1000
        self._log("api", f"{scope['method']} {scope['path']} {response.status} {took_ms:.0f} ms")
        headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers]
        headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive) -> HttpResponse:
        body = await _read(receive)
        if body is None:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        request = _request(scope, body)
        if cors.is_preflight(request.method, request.headers):
            return cors.preflight_response(request.headers, origins=self._origins)
        return cors.with_cors(await self._route(request), request.headers, origins=self._origins)

    async def _route(self, request: HttpRequest) -> HttpResponse:
        match = self._routes.find(request.method, request.encoded_path)
        if match is None:
            return _refusal(HTTPStatus.NOT_FOUND)
        wait_s = self._wait_s(request, match)
        return await self._integrate(request, match) if wait_s is None else _slow_down(wait_s)

    def _wait_s(self, request: HttpRequest, match: RouteMatch) -> int | None:
        if self._limiter is None:
            return None
        now = time.monotonic()
        return self._limiter.retry_after_s(route=match.route_key, address=request.source_ip, now=now)

    async def _integrate(self, request: HttpRequest, match: RouteMatch) -> HttpResponse:
        event = api_event(request, match, request_id=str(uuid.uuid4()), now=datetime.fromtimestamp(time.time(), UTC))
        payload = json.dumps(event).encode()
        if len(payload) > PAYLOAD_LIMIT:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            return http_response(await self._invoke_in_time(match.function, payload))
        except (Throttled, TimeoutError):
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE)
        except InvocationFailed:
            # The process that failed has said why in the log already.
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR)
        except MalformedAnswer as reason:
            self._log("api", f"{match.route_key}: {match.function} returned no HTTP response: {reason}")
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _invoke_in_time(self, function: str, payload: bytes) -> bytes:
        running = asyncio.create_task(self._invoke(function, payload, self._limit_s))
        self._running.add(running)
        running.add_done_callback(self._forget)
        # When the gateway gives up, the function works on: its effects happen, only nobody hears of them.
        return await asyncio.wait_for(asyncio.shield(running), self._limit_s)

    def _forget(self, done: asyncio.Task[bytes]) -> None:
        self._running.discard(done)
        if not done.cancelled():
            # Read the outcome, because one that nobody reads is reported as a programming error.
            done.exception()


class _ClientGone(Exception):
    pass


async def _read(receive: Receive) -> bytes | None:
    body = bytearray()
    more = True
    fits = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGone
        # What is too long is read to its end all the same, or the peer would never get to read the refusal.
        fits = fits and len(body) + len(message.get("body", b"")) <= BODY_LIMIT
        if fits:
            body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body) if fits else None


def _request(scope: MutableMapping[str, Any], body: bytes) -> HttpRequest:
    return HttpRequest(
        method=scope["method"],
        encoded_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        body=body,
        source_ip=scope["client"][0],
        protocol=f"HTTP/{scope['http_version']}",
    )


_MESSAGES = {
    HTTPStatus.NOT_FOUND: "Not Found",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Request Entity Too Large",
    HTTPStatus.TOO_MANY_REQUESTS: "Too Many Requests",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal Server Error",
    HTTPStatus.SERVICE_UNAVAILABLE: "Service Unavailable",
}


def _refusal(status: HTTPStatus) -> HttpResponse:
    return message_response(status, _MESSAGES[status])


def _slow_down(wait_s: int) -> HttpResponse:
    refusal = _refusal(HTTPStatus.TOO_MANY_REQUESTS)
    return HttpResponse(refusal.status, [*refusal.headers, ("retry-after", str(wait_s))], refusal.body)
