"""
New code for the next request, as soon as a file is saved.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.infra.local.hosting import eventually, function, hosted, write_function

ANSWER = "def handler(event, context):\n    return {answer}\n"


def test_saved_code_answers_the_next_request(tmp_path: Path):
    write_function(tmp_path, "f", ANSWER.format(answer=1))

    def saved_code_answers() -> bool:
        # Saved again and again, because the watch begins shortly after the cloud does.
        write_function(tmp_path, "f", ANSWER.format(answer=2))
        return bool(host.invoke("f", None) == 2)

    with hosted(tmp_path, function("f"), reload=True) as host:
        assert host.invoke("f", None) == 1
        # Same size, same second: the edit that stale bytecode would hide.
        eventually(saved_code_answers)


def test_saved_layer_code_counts_too(tmp_path: Path):
    layer = tmp_path / "layers/core/python/shared_answer.py"
    layer.parent.mkdir(parents=True)
    layer.write_text("VALUE = 1\n")
    write_function(tmp_path, "f", "from shared_answer import VALUE\ndef handler(event, context):\n    return VALUE\n")

    with hosted(tmp_path, function("f"), reload=True) as host:
        assert host.invoke("f", None) == 1
        eventually(lambda: layer.write_text("VALUE = 2\n") and host.invoke("f", None) == 2)


def test_a_busy_process_finishes_before_it_is_replaced(tmp_path: Path):
    write_function(
        tmp_path,
        "f",
        """
        import os, pathlib, time
        def handler(event, context):
            root = pathlib.Path(os.environ["LAMBDA_TASK_ROOT"])
            (root / "started").touch()
            while event == "wait" and not (root / "go").exists():
                time.sleep(0.01)
            return os.getpid()
        """,
    )

    with hosted(tmp_path, function("f")) as host, ThreadPoolExecutor(1) as other:
        busy = other.submit(host.invoke, "f", "wait")
        eventually((tmp_path / "started").exists)
        host.run(host.cloud.recycle())
        time.sleep(0.05)
        assert not busy.done()
        (tmp_path / "go").touch()

        assert busy.result() != host.invoke("f", None)
        assert len(host.pids("f")) == 1
