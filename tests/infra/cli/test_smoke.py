"""The smoke test passes over a running stack, and fails over anything else that answers."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.cli import smoke
from infra.cli.commands import main


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that says the same to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def _say(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _say  # noqa: N815

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "body"), [(200, b"{}"), (503, b"{}"), (200, b"<html>"), (404, b"")])
def test_a_server_that_is_not_ours_fails(status: int, body: bytes, capsys: pytest.CaptureFixture[str]):
    with answering(status, body) as url:
        exit_status = main(["smoke", "--api-url", url])

    said = capsys.readouterr()
    assert exit_status == 1
    assert "WRONG" in said.out
    assert "GET" in said.err


def test_nobody_at_all_fails_every_check():
    failed = smoke.failures("http://127.0.0.1:9")

    assert set(failed) == {check.name for check in smoke.CHECKS}
