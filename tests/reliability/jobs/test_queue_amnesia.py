"""The queue forgets everything three times and refuses three sends in ten: every job is done, none by hand."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from functions.dispatcher import handler as dispatcher
from functions.job_worker import handler as job_worker
from keywright.jobs import service
from keywright.platform import clock, db, queue
from tests.api import Context
from tests.conftest import Database
from tests.queue_hints import batch

WAVE = 40


class ForgetfulQueue(ThreadingHTTPServer):
    """SQS, as far as sending goes; it refuses three sends in ten and loses part of others."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Sends)
        self.chance, self.refused = random.Random(5), 0
        self.held: list[dict[str, str]] = []


class _Sends(BaseHTTPRequestHandler):
    server: ForgetfulQueue

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        entries = request["Entries"]
        luck = self.server.chance.random()
        if luck < 0.15:
            self.server.refused += len(entries)
            self._answer(503, {"__type": "ServiceUnavailable"})
            return
        lost = entries[: len(entries) // 2 + 1] if luck < 0.3 else []
        self.server.refused += len(lost)
        kept = entries[len(lost) :]
        self.server.held += [json.loads(entry["MessageBody"]) for entry in kept]
        said = [{"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": ""} for entry in kept]
        failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in lost]
        self._answer(200, {"Successful": said, "Failed": failed})

    def _answer(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def forgetful(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[ForgetfulQueue]:
    server = ForgetfulQueue()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("KEYWRIGHT_JOBS_QUEUE_URL", f"http://127.0.0.1:{server.server_port}/0/jobs")
    queue._client.cache_clear()
    yield server
    queue._client.cache_clear()
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_job_is_done_although_the_queue_forgets(clean_database: Database, forgetful: ForgetfulQueue):
    for wave in range(3):
        _enqueue(range(wave * WAVE, (wave + 1) * WAVE))
        forgetful.held.clear()
        _work_on(forgetful, clean_database)

    assert _unfinished(clean_database) == 0
    assert forgetful.refused > 0
    (row,) = clean_database.execute(
        "SELECT COUNT(*) AS n, SUM(attempts) AS attempts FROM jobs WHERE kind = 'licensing.publish-event'"
    )
    assert (row["n"], row["attempts"]) == (3 * WAVE, 3 * WAVE)


def _enqueue(numbers: range) -> None:
    for number in numbers:
        payload = {"event": "license.issued", "license_sid": f"lic_{number}"}
        enqueue = partial(
            service.enqueue, kind="licensing.publish-event", payload=payload, key=str(number), now=clock.now()
        )
        db.transact(enqueue)


def _work_on(forgetful: ForgetfulQueue, database: Database) -> None:
    """Deliver what the queue still knows, and let the dispatcher sweep, as often as it takes."""
    deadline = time.monotonic() + 60
    while _unfinished(database) and time.monotonic() < deadline:
        told, forgetful.held[:] = forgetful.held[:10], []
        if told:
            assert job_worker.handler(batch(*told), Context()) == {"batchItemFailures": []}
        dispatcher.handler({"do": "dispatch"}, Context())


def _unfinished(database: Database) -> int:
    (row,) = database.execute(
        "SELECT COUNT(*) AS n FROM jobs WHERE state <> 'COMPLETED' AND kind = 'licensing.publish-event'"
    )
    return int(row["n"])
