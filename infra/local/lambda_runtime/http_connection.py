"""
One HTTP/1.1 connection, as an asyncio protocol: whole requests in, whole responses out.

It knows nothing of Lambda. A response may be given long after the request, which is how the Runtime API lets
a function wait for its next event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import h11


@dataclass(frozen=True)
class Request:
    """A request that has arrived completely."""

    method: str
    target: str
    body: bytes


class HttpConnection(asyncio.Protocol):
    """Parses what one peer sends, and calls ``on_request`` for each request and ``on_lost`` at the end."""

    def __init__(
        self,
        *,
        on_request: Callable[[HttpConnection, Request], None],
        on_lost: Callable[[HttpConnection], None],
    ) -> None:
        self._on_request = on_request
        self._on_lost = on_lost
        self._http = h11.Connection(h11.SERVER)
        self._transport: asyncio.Transport | None = None
        self._head: h11.Request | None = None
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Begin; called by the event loop.
        """
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (the reason changes nothing)
        """
        Say that the peer has gone; called by the event loop.
        """
        self._transport = None
        self._on_lost(self)

    def data_received(self, data: bytes) -> None:
        """
        Parse what has come; called by the event loop.
        """
        self._http.receive_data(data)
        self._advance()

    def respond(self, status: HTTPStatus, headers: list[tuple[str, str]], body: bytes) -> None:
        """
        Answer the request that was handed out last; a peer that has gone is not told.
        """
        if self._transport is None:
            return
        head = h11.Response(
            status_code=status,
            reason=status.phrase,
            headers=[*headers, ("Content-Length", str(len(body)))],
        )
        # One write, because a peer that got the head alone would wait for the delayed acknowledgement.
        parts = [self._http.send(head), self._http.send(h11.Data(body)), self._http.send(h11.EndOfMessage())]
        self._transport.write(b"".join(part for part in parts if part))
        if self._http.our_state is h11.MUST_CLOSE:
            self._transport.close()
            return
        self._http.start_next_cycle()
        self._advance()

    def close(self) -> None:
        """
        Drop the connection; a request that still waits gets no answer.
        """
        if self._transport is not None:
            self._transport.abort()

    def _advance(self) -> None:
        while self._transport is not None:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                self._transport.close()
                return
            if event is h11.NEED_DATA or event is h11.PAUSED:
                self._allow_body()
                return
            if not self._take(event):
                return

    def _allow_body(self) -> None:
        if self._transport is not None and self._http.they_are_waiting_for_100_continue:
            go_ahead = h11.InformationalResponse(status_code=100, headers=[])
            self._transport.write(self._http.send(go_ahead) or b"")

    def _take(self, event: object) -> bool:
        if isinstance(event, h11.Request):
            self._head = event
            self._body.clear()
        elif isinstance(event, h11.Data):
            self._body += event.data
        elif isinstance(event, h11.EndOfMessage) and self._head is not None:
            head, self._head = self._head, None
            self._on_request(self, Request(head.method.decode(), head.target.decode(), bytes(self._body)))
            return False
        else:
            return False
        return True
