"""``keywright worker`` as a process: a signal ends it in bounded time, with nothing half done and nothing held."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.environment import SOURCE_FOLDERS
from keywright.jobs import service
from keywright.platform import clock, db
from tests.conftest import Database

ROOT = Path(__file__).resolve().parents[3]
# The command itself, with an executor that tells of itself and takes a while in place of one that calls AWS.
SLOW = """
import pathlib, sys, time
from functions.job_worker.executors import JOBS
def slow(payload):
    pathlib.Path(payload["tells"]).touch()
    time.sleep(float(payload["seconds"]))
JOBS["licensing.publish-event"] = slow
from infra.cli.commands import main
sys.exit(main(["worker", "--batch", "5", "--lease-s", "2", "--idle-s", "0.05", *sys.argv[1:]]))
"""


@pytest.fixture
def tells(tmp_path: Path) -> Path:
    """The file that is there once an executor is at work; that a job is marked as begun comes a moment before."""
    return tmp_path / "at-work"


def add(count: int, *, seconds: str, tells: Path) -> None:
    payloads = [(str(n), {"event": "x", "seconds": seconds, "tells": str(tells)}) for n in range(count)]
    db.transact(lambda tx: service.enqueue_many(tx, "licensing.publish-event", payloads, now=clock.now()))


@contextmanager
def worker(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    path = os.pathsep.join(str(ROOT / folder) for folder in SOURCE_FOLDERS)
    command = [sys.executable, "-c", SLOW, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


def wait_until_at_work(tells: Path) -> None:
    deadline = time.monotonic() + 90
    while not tells.exists():
        assert time.monotonic() < deadline, "no job was begun"
        time.sleep(0.02)


def states(database: Database) -> dict[str, int]:
    rows = database.execute(
        "SELECT IF(state = 'RUNNING' AND started_at IS NOT NULL, 'begun', state) AS state, COUNT(*) AS n FROM jobs"
        " GROUP BY 1"
    )
    return {row["state"]: row["n"] for row in rows}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_after_the_job_in_hand(clean_database: Database, tells: Path, number: signal.Signals):
    add(5, seconds="3", tells=tells)

    with worker() as process:
        wait_until_at_work(tells)
        process.send_signal(number)
        status = process.wait(60)

    assert status == 0
    found = states(clean_database)
    assert set(found) == {"COMPLETED", "PENDING"}
    assert found["COMPLETED"] in {1, 2}
    (row,) = clean_database.execute("SELECT SUM(attempts) AS n FROM jobs WHERE state = 'PENDING'")
    assert row["n"] == 0


def test_a_job_that_outlasts_the_grace_does_not_hold_the_process(clean_database: Database, tells: Path):
    add(1, seconds="120", tells=tells)

    with worker("--grace-s", "0.3") as process:
        wait_until_at_work(tells)
        process.terminate()
        status = process.wait(60)

    assert status == 75
    assert states(clean_database) == {"begun": 1}


def test_a_busy_worker_keeps_its_lease(clean_database: Database, tells: Path):
    add(1, seconds="14", tells=tells)

    with worker("--lease-s", "6"):
        wait_until_at_work(tells)
        deadline = time.monotonic() + 90
        while states(clean_database) != {"COMPLETED": 1}:
            assert time.monotonic() < deadline, "the job was not completed"
            # What a dispatcher would do to a lease of six seconds that is not renewed.
            db.transact(lambda tx: service.hint_claimable(tx, now=service.database_time(tx), limit=10))
            time.sleep(0.2)

    rows = clean_database.execute("SELECT outcome FROM job_attempts")
    assert [row["outcome"] for row in rows] == ["COMPLETED"]
