"""Runs a fleet over a number of jobs, kills and freezes its workers, and waits until every job has ended."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.children import with_death_signal
from infra.local.environment import SOURCE_FOLDERS
from keywright.jobs import service
from keywright.platform import clock, db, secrets
from tests.reliability.jobs.books import GRANTS, LEDGER, Books, Execute
from tests.reliability.jobs.fleet import CHAOS

_ENDED = ("COMPLETED", "DEAD")

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Plan:
    """
    How many jobs and workers, how long a job waits, and what is done to them.

    A query that finds the ``telltale`` row ends the run.
    """

    jobs: int
    workers: int
    poison: int = 0
    kills: int = 0
    freezes: int = 0
    batch: int = 4
    enqueue: int = 0
    bug: str = ""
    telltale: str = ""
    faults: bool = True
    pause_s: float = 0.0
    deadline_s: float = 90.0
    seed: int = field(default_factory=lambda: random.randrange(10**6))


def run(plan: Plan, execute: Execute) -> Books:
    """Carry the plan out on an empty database; return the books."""
    print(plan)  # noqa: T201  (the seed, for whoever wants the same run again)
    for statement in LEDGER:
        execute(statement)
    for statement in GRANTS:
        execute(statement, secrets.read("DATABASE")["username"])
    payloads = [("poison" + str(n), {"do": "die"}) for n in range(plan.poison)]
    payloads += [(str(n), {"do": "well"}) for n in range(plan.jobs - plan.poison - plan.workers * plan.enqueue)]
    db.transact(lambda tx: service.enqueue_many(tx, CHAOS, payloads, now=clock.now()))
    deadline = time.monotonic() + plan.deadline_s
    with fleet(plan) as pids:
        # Nobody is killed before it has enqueued its share.
        _wait(lambda: _count(execute, "PENDING", "RUNNING", "FAILED", *_ENDED) >= plan.jobs, deadline)
        _torment(plan, pids, random.Random(plan.seed))
        _wait(lambda: _count(execute, *_ENDED) >= plan.jobs or _is_told(execute, plan.telltale), deadline)
    return Books.read(execute)


def _is_told(execute: Execute, telltale: str) -> bool:
    return bool(telltale and execute(telltale))


def _count(execute: Execute, *states: str) -> int:
    (row,) = execute("SELECT COUNT(*) AS n FROM jobs WHERE state IN %s", states)
    return int(row["n"])


def _wait(condition: Callable[[], bool], deadline: float) -> None:
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


@contextmanager
def fleet(plan: Plan) -> Iterator[dict[str, int]]:
    """Start the fleet; yield the pids of its workers, kept up to date."""
    command = [sys.executable, "-m", "tests.reliability.jobs.fleet", "--workers", str(plan.workers)]
    command += ["--batch", str(plan.batch), "--enqueue", str(plan.enqueue), "--bug", plan.bug]
    command += ["--pause", str(plan.pause_s)]
    command += ["--seed", str(plan.seed)]
    command += ["--faults"] if plan.faults else []
    path = os.pathsep.join(str(ROOT / folder) for folder in SOURCE_FOLDERS)
    log = ROOT / ".local" / "chaos.log"
    log.parent.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": path}
    with log.open("w") as errors:
        process = subprocess.Popen(
            with_death_signal(command),
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    pids: dict[str, int] = {}
    reader = threading.Thread(target=_read, args=(process, pids))
    reader.start()
    try:
        yield pids
    finally:
        # The whole group at once: asked one by one, the worker that is forked at that moment would live on, and
        # fail the jobs of every later test.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
        reader.join()


def _read(process: subprocess.Popen[str], pids: dict[str, int]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            name, pid = line.split()
            pids[name] = int(pid)


def _torment(plan: Plan, pids: dict[str, int], chance: random.Random) -> None:
    deadline = time.monotonic() + 60
    while len(pids) < plan.workers + 2:
        assert time.monotonic() < deadline, "the fleet did not start"
        time.sleep(0.02)
    deeds = ["kill"] * plan.kills + ["freeze"] * plan.freezes
    chance.shuffle(deeds)
    for deed in deeds:
        pid = pids[chance.choice(sorted(pids))]
        # A worker that has just died by itself is not there to be killed.
        with suppress(ProcessLookupError):
            if deed == "kill":
                os.kill(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.4)
                os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
