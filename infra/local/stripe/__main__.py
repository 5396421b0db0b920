"""Start the stand-in: ``python -m infra.local.stripe --port 0 --api-key sk_test_x``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from infra.local.stripe.judge.judge import Judge
from infra.local.stripe.server import create_app

_PORT_TAKEN = 3


class _Server(uvicorn.Server):
    """A server that says when it answers, and leaves signals to us."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and print the one line that whoever started us waits for."""
        await super().startup(sockets)
        if self.started:
            print(json.dumps({"ready": True, "url": self._url}), flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing: uvicorn would raise SIGTERM again at its end, which would look like a failure."""
        yield


def _arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.stripe", description="A stand-in for Stripe.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--api-key", required=True, help="the one secret key that is accepted")
    parser.add_argument("--public-url", help="where browsers reach the stand-in, if not at its own address")
    parser.add_argument(
        "--judge",
        type=Path,
        metavar="FOLDER",
        default=os.environ.get("KEYWRIGHT_STRIPE_JUDGE"),
        help="judge all traffic by Stripe's document and leave the record in this folder (KEYWRIGHT_STRIPE_JUDGE)",
    )
    return parser.parse_args(given)


def _judge(folder: Path | None) -> Judge | None:
    """Make the judge, if one is asked for; what it needs is installed for development only."""
    if folder is None:
        return None
    from infra.local.stripe.judge.document import stripe_document  # noqa: PLC0415

    return Judge(stripe_document(), folder=folder)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it. asyncio sets it only on sockets that name their protocol; without it, each
    # answer would wait 40 ms for the caller's delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind((host, port))
    listener.listen(128)
    return listener


async def _serve(arguments: argparse.Namespace, listener: socket.socket) -> None:
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    url = f"http://{host}:{listener.getsockname()[1]}"
    app = create_app(api_key=arguments.api_key, public_url=arguments.public_url or url, judge=_judge(arguments.judge))
    config = uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config, url)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, setattr, server, "should_exit", True)
    await server.serve(sockets=[listener])


def main(given: list[str]) -> int:
    """Run until told to stop; return the exit status."""
    arguments = _arguments(given)
    try:
        listener = _listen(arguments.host, arguments.port)
    except OSError as error:
        print(f"cannot listen on {arguments.host}:{arguments.port}: {error.strerror}", file=sys.stderr)
        return _PORT_TAKEN
    with listener:
        asyncio.run(_serve(arguments, listener))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
