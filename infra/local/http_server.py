"""
One ASGI application on a loopback port.

It binds, serves and ends; what is served is the application's affair. It installs no signal handlers, because
the process it lives in has other things to end than this server.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from typing import Any

import uvicorn

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApplication = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

LOOPBACK = "127.0.0.1"

# Longer than the idle time after which the usual HTTP clients drop a connection themselves, so that no client
# sends into a connection that the server is just closing.
KEEP_ALIVE_S = 75


class PortInUse(Exception):
    """Another program listens on the port that was asked for."""


class HttpServer:
    """An application bound to a port from the start, served between ``start`` and ``stop``."""

    def __init__(self, application: AsgiApplication, *, port: int = 0) -> None:
        self._socket = _bind(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self._server = _QuietServer(
            uvicorn.Config(
                application,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=1,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """
        Begin to answer. Connections that came since the port was bound have waited for it.
        """
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        """
        Stop answering and free the port, also when ``start`` was never called.
        """
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
        self._socket.close()


class _QuietServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _bind(port: int) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is: without, each response waits
    # 40 ms for the peer's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        # Listening at once makes a second server on the same port fail here, and not when it begins to serve.
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            message = f"Port {port} on {LOOPBACK} is in use: stop the program that listens there, or choose another."
            raise PortInUse(message) from None
        raise
    return listener
