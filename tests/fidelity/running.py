"""The stand-in and a webhook receiver, each on a free loopback port in a thread of this process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import IPPROTO_TCP, TCP_NODELAY, create_server

import uvicorn

from infra.local.stripe.server import StandIn

_PATIENCE_S = 60.0


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Wait for something that other threads do; fail with its name if it does not come."""
    deadline = time.monotonic() + _PATIENCE_S
    while not happened():
        if time.monotonic() > deadline:
            message = f"this did not happen in time: {what}"
            raise AssertionError(message)
        time.sleep(0.01)


class _PromptServer(uvicorn.Server):
    """A server that looks ten times as often whether it should end, because there is one per test."""

    async def main_loop(self) -> None:
        while not self.should_exit:  # noqa: ASYNC110  uvicorn's flag is a plain attribute
            await asyncio.sleep(0.01)


@contextmanager
def serving(make_app: Callable[[str], StandIn]) -> Iterator[StandIn]:
    """Serve the application that ``make_app`` makes for the URL it is given."""
    with create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # else every answer waits for a delayed acknowledgement
        app = make_app(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(app, http="h11", loop="asyncio", log_level="warning", timeout_graceful_shutdown=1)
        server = _PromptServer(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_until(lambda: server.started, "the stand-in answers")
        try:
            yield app
        finally:
            server.should_exit = True
            thread.join(_PATIENCE_S)


@dataclass
class Receiver:
    """An endpoint for webhooks: what came, and what the next ones are answered with (200 when nothing is left)."""

    url: str
    received: list[tuple[str, bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append((self.headers["Stripe-Signature"], body))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/webhooks")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_PATIENCE_S)
