"""The stand-in as a process: it says when it is ready, ends when told, and explains why it cannot start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from socket import create_server
from urllib.request import urlopen

_ROOT = Path(__file__).parents[2]
_COMMAND = [sys.executable, "-m", "infra.local.stripe", "--api-key", "sk_test_process"]


def test_it_prints_one_line_when_it_answers_and_ends_at_once_when_told() -> None:
    with subprocess.Popen([*_COMMAND, "--port", "0"], cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            with urlopen(ready["url"], timeout=20) as answer:
                status = answer.status
        finally:
            process.terminate()
        rest = process.stdout.read()

    assert (ready["ready"], status) == (True, 200)
    assert (process.returncode, rest) == (0, "")


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        finished = subprocess.run([*_COMMAND, "--port", port], cwd=_ROOT, capture_output=True, text=True, check=False)

    assert finished.returncode == 3
    assert finished.stdout == ""
    assert len(finished.stderr.splitlines()) == 1
    assert port in finished.stderr
