"""
Start and end: ports, and no process left behind.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local.http_server import HttpServer, PortInUse
from infra.local.ports import free_port, is_free
from infra.manifest import FUNCTIONS, QUEUES, SCHEDULES, Queue, Secret
from tests.infra.local.hosting import AWS, ECHO, eventually, function, hosted, is_running, write_function

ROOT = Path(__file__).resolve().parents[3]

STUBBORN = """
    import os, signal, time
    def handler(event, context):
        if event == "pid":
            return os.getpid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open(os.path.join(os.environ["LAMBDA_TASK_ROOT"], f"started-{os.getpid()}"), "w").close()
        time.sleep(600)
"""


def test_stopping_leaves_no_process_not_even_a_stubborn_one(tmp_path: Path):
    write_function(tmp_path, "stubborn", STUBBORN)
    write_function(tmp_path, "echo", ECHO)

    with ThreadPoolExecutor(1) as other:
        with hosted(tmp_path, function("stubborn", timeout_s=600), function("echo")) as host:
            host.invoke("echo", None)
            busy = other.submit(host.invoke, "stubborn", "sleep")
            eventually(lambda: list(tmp_path.glob("started-*")))
            pids = host.pids("stubborn") + host.pids("echo")
        failure = busy.exception()

    assert failure is not None
    assert len(pids) == 2
    assert not [pid for pid in pids if is_running(pid)]


HOST = """
import asyncio, sys
from pathlib import Path
from infra.local.cloud import Cloud
from infra.manifest import Function

async def main():
    functions = [Function("stubborn", "", secrets=(), timeout_s=600)]
    cloud = Cloud(root=Path(sys.argv[1]), functions=functions, queues=(), schedules=(), environment={},
                  judge=lambda *_: [], log=lambda source, line: None)
    await cloud.start()
    print(await cloud.invoke("stubborn", "pid"), flush=True)
    await cloud.invoke("stubborn", "sleep")

asyncio.run(main())
"""


@pytest.mark.parametrize("path", [os.environ["PATH"], "/nowhere"], ids=["with-setpriv", "without-setpriv"])
def test_functions_end_with_a_host_that_is_killed(tmp_path: Path, path: str):
    write_function(tmp_path, "stubborn", STUBBORN)
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    with host:
        try:
            assert host.stdout is not None
            pid = int(host.stdout.readline())
            eventually(lambda: list(tmp_path.glob("started-*")))
            assert is_running(pid)
            guarded = b"--end-with-parent" in Path(f"/proc/{pid}/cmdline").read_bytes()
            assert guarded == (shutil.which("setpriv", path=path) is None)
        finally:
            host.send_signal(signal.SIGKILL)

    eventually(lambda: not is_running(pid))


def test_a_public_port_that_is_taken_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1 is in use"), hosted(tmp_path, port=port):
            pass


def test_the_port_is_free_again_after_the_stop(tmp_path: Path):
    port = free_port()
    with hosted(tmp_path, port=port) as host:
        assert host.http.get("/").status_code == 404
        assert not is_free(port)

    assert is_free(port)


def test_the_whole_manifest_starts_and_runs_no_process_until_it_is_asked(tmp_path: Path):
    settings = {f"KEYWRIGHT_{name}": "x" for entry in FUNCTIONS for name in entry.settings}
    secrets = {f"KEYWRIGHT_{secret}_SECRET": "x" for secret in Secret}

    with hosted(tmp_path, *FUNCTIONS, queues=QUEUES, schedules=SCHEDULES, environment=AWS | settings | secrets) as host:
        pids = [host.pids(entry.name) for entry in FUNCTIONS]
        names = {queue: host.url(queue).rpartition("/")[2] for queue in Queue}
        dead = host.sqs().get_queue_url(QueueName="events-dead-letters")

    assert set(pids) == {()}
    assert names == {Queue.EVENTS: "events", Queue.JOBS: "jobs"}
    assert dead["QueueUrl"].endswith("/events-dead-letters")


def test_responses_are_not_held_back_for_acknowledgements():
    async def application(scope: object, receive: object, send: object) -> None:
        raise AssertionError("nobody asks")

    async def proto() -> int:
        server = HttpServer(application)
        await server.stop()
        return server._socket.proto

    # asyncio turns Nagle's algorithm off only for sockets that name their protocol.
    assert asyncio.run(proto()) == socket.IPPROTO_TCP
