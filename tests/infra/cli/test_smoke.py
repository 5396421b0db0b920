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
def answering(status: int, body: bytes, *, asleep: int = 0) -> Iterator[str]:
    """A server that says the same to everything, after so many answers that its database is away."""
    left = [asleep]

    class Handler(http.server.BaseHTTPRequestHandler):
        def _say(self) -> None:
            left[0] -= 1
            self.send_response(503 if left[0] >= 0 else status)
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
        exit_status = main(["smoke", "--api-url", url, "--patience", "0"])

    said = capsys.readouterr()
    assert exit_status == 1
    assert "WRONG" in said.out
    assert "GET" in said.err


def test_nobody_at_all_fails_every_check():
    failed = smoke.failures("http://127.0.0.1:9")

    assert set(failed) == {check.name for check in smoke.CHECKS}


def test_a_database_that_sleeps_is_woken_and_waited_for():
    """Between the migration and this command a deployment takes longer than the database stays awake."""
    with answering(200, b"{}", asleep=2) as url:
        waited = smoke.failures(url)

    assert "the API and its database answer" not in waited


def test_without_patience_a_database_that_sleeps_is_wrong():
    with answering(200, b"{}", asleep=2) as url:
        failed = smoke.failures(url, patience_s=0)

    assert "the API and its database answer" in failed


def test_what_is_no_address_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["smoke", "--api-url", "api.example.com"])

    assert capsys.readouterr().err.splitlines()[-1].endswith("is no address such as https://api.example.com")
