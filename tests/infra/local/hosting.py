"""
A cloud on a thread of its own, and functions written for one test.
"""

from __future__ import annotations

import asyncio
import textwrap
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import boto3
import httpx
from botocore.config import Config

from infra.local.cloud import Cloud
from infra.manifest import Function, Queue, QueueSettings, Route

T = TypeVar("T")

DEADLINE_S = 90.0

ECHO = """
    import json, os
    def handler(event, context):
        return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""

AWS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "eu-central-1"}


def function(name: str, *routes: str, **values: Any) -> Function:
    """A manifest entry without secrets; a route is written ``GET /path``."""
    values.setdefault("secrets", ())
    return Function(name, "", routes=tuple(_route(route) for route in routes), **values)


def _route(text: str) -> Route:
    method, _, path = text.partition(" ")
    return Route(method, path)


def write_function(root: Path, name: str, source: str) -> None:
    folder = root / "functions" / name
    folder.mkdir(parents=True, exist_ok=True)
    for package in (folder.parent, folder):
        (package / "__init__.py").touch()
    (folder / "handler.py").write_text(textwrap.dedent(source))


def eventually(check: Callable[[], T], *, deadline_s: float = DEADLINE_S) -> T:
    """Wait until the check yields something true, and return it."""
    deadline = time.monotonic() + deadline_s
    while not (result := check()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return result


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def no_log(source: str, line: str) -> None:
    """Drop what is said."""


class HostedCloud:
    """A running cloud, used from the test's thread."""

    def __init__(self, cloud: Cloud, loop: asyncio.AbstractEventLoop, log: list[tuple[str, str]]) -> None:
        self.cloud = cloud
        self.log = log
        self._loop = loop
        self.http = httpx.Client(base_url=cloud.api_url, timeout=DEADLINE_S)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_S * 2)

    def read(self, look: Callable[[Cloud], T]) -> T:
        """Look at the cloud on its own thread."""

        async def on_loop() -> T:
            return look(self.cloud)

        return self.run(on_loop())

    def invoke(self, name: str, event: object) -> Any:
        return self.run(self.cloud.invoke(name, event))

    def pids(self, name: str) -> tuple[int, ...]:
        return self.read(lambda cloud: cloud.pids(name))

    def counts(self, queue: Queue) -> tuple[int, int, int]:
        """Available, in flight, dead."""

        def look(cloud: Cloud) -> tuple[int, int, int]:
            local = cloud.queues[queue]
            assert local.dead_letters is not None
            counts = local.counts()
            return counts.available, counts.in_flight, local.dead_letters.counts().available

        return self.read(look)

    def sqs(self) -> Any:
        return sqs_client(self.cloud.sqs_url)

    def url(self, queue: Queue) -> str:
        url: str = self.sqs().get_queue_url(QueueName=queue.lower())["QueueUrl"]
        return url


def sqs_client(endpoint: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=DEADLINE_S)
    return boto3.client(
        "sqs",
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=config,
    )


@contextmanager
def hosted(root: Path, *functions: Function, reload: bool = False, **values: Any) -> Iterator[HostedCloud]:
    """Run a cloud of these functions as long as the block lasts."""
    log: list[tuple[str, str]] = []
    values.setdefault("queues", ())
    values.setdefault("schedules", ())
    values.setdefault("environment", AWS)
    # Functions that a test makes up have no settings class.
    values.setdefault("judge", lambda *_: [])
    cloud = Cloud(root=root, functions=functions, log=lambda source, line: log.append((source, line)), **values)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(cloud.start(reload=reload), loop).result(DEADLINE_S)
        try:
            host = HostedCloud(cloud, loop, log)
            with host.http:
                yield host
        finally:
            asyncio.run_coroutine_threadsafe(cloud.stop(), loop).result(DEADLINE_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def queue_settings(queue: Queue = Queue.EVENTS, **values: Any) -> QueueSettings:
    values.setdefault("visibility_timeout_s", 1)
    return QueueSettings(queue, **values)
