"""
The AWS Lambda Runtime API for one function process, on a loopback port of its own.

The process asks for its next event, works, and posts an answer or an error. A port per process is what tells
processes apart: the client is given a host and a port, and no room for a path. This module starts no process
and judges no time.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

from infra.local.http_server import LOOPBACK
from infra.local.lambda_runtime.http_connection import HttpConnection, Request
from infra.local.lambda_runtime.invocation import PAYLOAD_LIMIT, Exchange, InitFailed, Invocation, InvocationFailed

PREFIX = "/2018-06-01/runtime/"

# Lambda lets an answer be this much longer than an event, for the envelope around it.
ANSWER_LIMIT = PAYLOAD_LIMIT + 100


class RuntimeApi:
    """The invocations of one process: at most one is under way."""

    def __init__(self) -> None:
        self.initialized: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the process first asks for an event; fails with ``InitFailed`` when it says that it cannot."""
        self._server: asyncio.Server | None = None
        self._connections: set[HttpConnection] = set()
        self._parked: HttpConnection | None = None
        self._exchange: Exchange | None = None

    async def start(self) -> str:
        """
        Listen, and return the value for ``AWS_LAMBDA_RUNTIME_API``.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, LOOPBACK, 0)
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    def stop(self) -> None:
        """
        Stop listening and drop the process's connections.
        """
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.close()

    @property
    def busy(self) -> bool:
        """Whether an answer is still owed."""
        return self._exchange is not None

    def offer(self, invocation: Invocation) -> Exchange:
        """
        Give the process its next event, at once if it already asks for one.
        """
        exchange = self._exchange = Exchange(invocation)
        self._deliver()
        return exchange

    def _connect(self) -> HttpConnection:
        connection = HttpConnection(on_request=self._on_request, on_lost=self._on_lost)
        self._connections.add(connection)
        return connection

    def _on_lost(self, connection: HttpConnection) -> None:
        self._connections.discard(connection)
        if self._parked is connection:
            self._parked = None

    def _on_request(self, connection: HttpConnection, request: Request) -> None:
        match (request.method, *request.target.removeprefix(PREFIX).split("/")):
            case ("GET", "invocation", "next"):
                self._parked = connection
                if not self.initialized.done():
                    self.initialized.set_result(None)
                self._deliver()
            case ("POST", "invocation", request_id, "response"):
                self._finish(connection, request_id, request.body)
            case ("POST", "invocation", request_id, "error"):
                self._finish(connection, request_id, InvocationFailed.from_report(request.body))
            case ("POST", "init", "error"):
                self._fail_init(request.body)
                _accept(connection)
            case _:
                _refuse(connection, HTTPStatus.NOT_FOUND, "InvalidPath", f"There is no {request.target}.")

    def _deliver(self) -> None:
        if self._parked is None or self._exchange is None or self._exchange.taken:
            return
        connection, self._parked = self._parked, None
        self._exchange.taken = True
        invocation = self._exchange.invocation
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", invocation.function_arn),
            ("Lambda-Runtime-Trace-Id", invocation.trace_id),
        ]
        connection.respond(HTTPStatus.OK, headers, invocation.payload)

    def _finish(self, connection: HttpConnection, request_id: str, answer: bytes | InvocationFailed) -> None:
        exchange = self._exchange
        if exchange is None or not exchange.taken or exchange.invocation.request_id != request_id:
            _refuse(connection, HTTPStatus.BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
            return
        if isinstance(answer, bytes) and len(answer) > ANSWER_LIMIT:
            message = f"Response payload size exceeded maximum allowed payload size ({ANSWER_LIMIT} bytes)."
            answer = InvocationFailed("Function.ResponseSizeTooLarge", message)
            _refuse(connection, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", message)
        else:
            _accept(connection)
        self._exchange = None
        if exchange.answer.done():
            return
        if isinstance(answer, InvocationFailed):
            exchange.answer.set_exception(answer)
        else:
            exchange.answer.set_result(answer)

    def _fail_init(self, report: bytes) -> None:
        if not self.initialized.done():
            failure = InvocationFailed.from_report(report)
            self.initialized.set_exception(InitFailed(failure.error_type, failure.message, failure.details))


def _accept(connection: HttpConnection) -> None:
    connection.respond(HTTPStatus.ACCEPTED, [("Content-Type", "application/json")], b'{"status":"OK"}\n')


def _refuse(connection: HttpConnection, status: HTTPStatus, error_type: str, message: str) -> None:
    body = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
    connection.respond(status, [("Content-Type", "application/json")], body)
