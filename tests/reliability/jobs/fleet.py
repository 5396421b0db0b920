"""
A fleet of worker processes, forked from one that has everything imported: ``python -m tests.reliability.jobs.fleet``.

It prints ``<name> <pid>`` for every worker that it starts, and starts another for each that dies. It is ended as a
process group; should it end alone, its workers end by themselves. Each worker's own clock is wrong by up to an hour.
No worker begins before all are connected, so that none is ahead because the machine was slow to start the others.
"""

from __future__ import annotations

import argparse
import mmap
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from datetime import timedelta
from functools import partial

from keywright.jobs import recovery, service
from keywright.jobs.kinds import Kind, Payload
from keywright.jobs.models import Job, Skipped
from keywright.jobs.worker import Effect, Pace, Worker
from keywright.platform import clock, connection, db
from keywright.platform.db import Transaction
from tests.reliability.jobs.sabotage import sabotage

LEASE = timedelta(seconds=0.3)
LONG_LEASE = timedelta(seconds=30)
"""Where nobody is killed, no lease is to be lost to a machine that is slow for a moment."""

CHAOS = Kind("chaos.run", Payload(frozenset({"do"})), timeout_s=2, max_attempts=12)
REGISTRY = {CHAOS.name: CHAOS}
DISPATCHERS = ("d0", "d1")


class Slips(Exception):
    """What an executor raises now and then."""


class ChaosWorker(Worker):
    """Writes down what it begins, and what it did as which owner."""

    def __init__(self, name: str, *, faults: bool, batch: int, pause_s: float) -> None:
        super().__init__(
            owner=name,
            executors={CHAOS.name: self._carry_out},
            transact=db.transact,
            reconnect=db.discard,
            pace=Pace(batch=batch, lease=LEASE if faults else LONG_LEASE),
            registry=REGISTRY,
        )
        self.name, self._faults, self._pause_s, self._job = name, faults, pause_s, None
        self._ledger = connection.connect() if faults else None

    _job: Job | None

    def _execute(self, job: Job) -> Effect | Skipped | None:
        self._job = job
        if self._ledger is not None:
            self._ledger.begin()
            with self._ledger.cursor() as cursor:
                row = (job.job_sid, job.lease_token, self.name)
                cursor.execute("INSERT INTO chaos_starts VALUES (%s, %s, %s)", row)
            self._ledger.commit()
        return super()._execute(job)

    def _carry_out(self, payload: dict[str, str]) -> Effect:
        job = self._job
        assert job is not None
        if payload["do"] == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._faults:
            if random.random() < 0.05:
                raise Slips(payload["do"])
            time.sleep(random.uniform(0.31, 0.8) if random.random() < 0.25 else 0.001)
        time.sleep(self._pause_s)

        def book(tx: Transaction) -> None:
            row = tx.one("SELECT lease_token FROM jobs WHERE job_sid = %(sid)s", sid=job.job_sid)
            assert row is not None
            tx.run(
                "INSERT INTO chaos_effects VALUES (%(sid)s, %(mine)s, %(theirs)s, %(worker)s)",
                sid=job.job_sid,
                mine=job.lease_token,
                theirs=row["lease_token"],
                worker=self.name,
            )

        return book


def work(name: str, arguments: argparse.Namespace) -> None:
    """Do what is due, and now and then what an old hint says, which may long be done."""
    skew, real = random.choice((-3600, 0, 3600)), time.time
    time.time = lambda: real() + skew
    worker = ChaosWorker(name, faults=arguments.faults, batch=arguments.batch, pause_s=arguments.pause)
    told = [str(row["job_sid"]) for row in db.transact(lambda tx: tx.all("SELECT job_sid FROM jobs LIMIT 500"))]
    for number in range(arguments.enqueue):
        key = f"{name}:{os.getpid()}:{number}"
        db.transact(partial(service.enqueue, kind=CHAOS, payload={"do": "well"}, key=key, now=clock.now()))
    _wait_for_all(arguments.connected, int(name.removeprefix("w")))
    while _has_parent():
        carried = worker.run_due(may_begin=lambda _longest: True)
        if arguments.faults and told and random.random() < 0.2:
            worker.run_these(random.sample(told, min(3, len(told))), may_begin=lambda _longest: True)
        if not carried:
            time.sleep(0.02)


def dispatch(_name: str, _arguments: argparse.Namespace) -> None:
    """Recover what was abandoned; there are two of us, and neither minds."""
    while _has_parent():
        db.transact(lambda tx: recovery.recover(tx, now=service.database_time(tx), limit=100))
        time.sleep(0.05)


def _wait_for_all(connected: mmap.mmap, number: int) -> None:
    # Memory that all share needs no lock, which a worker could hold when it is killed.
    connected[number] = 1
    while 0 in connected[:] and _has_parent():
        time.sleep(0.01)


def _has_parent() -> bool:
    """Tell whether the fleet is still there: its session's leader is its first process."""
    return os.getppid() == os.getsid(0)


def main() -> None:
    """Keep every worker of the fleet alive for ever."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--enqueue", type=int, default=0)
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--bug", default="")
    parser.add_argument("--seed", default="")
    parser.add_argument("--faults", action="store_true")
    arguments = parser.parse_args()
    if arguments.bug:
        sabotage(arguments.bug)
    db.transact(lambda tx: tx.one("SELECT 1 AS one"))
    db.discard()
    arguments.connected = mmap.mmap(-1, arguments.workers)
    arguments.lives = Counter()
    names = [*DISPATCHERS, *(f"w{number}" for number in range(arguments.workers))]
    alive = {_fork(name, arguments): name for name in names}

    arguments.enqueue = 0
    while True:
        pid, _status = os.wait()
        name = alive.pop(pid)
        alive[_fork(name, arguments)] = name


def _fork(name: str, arguments: argparse.Namespace) -> int:
    arguments.lives[name] += 1
    if pid := os.fork():
        print(name, pid, flush=True)  # noqa: T201  (how the chaos learns whom it may kill)
        return pid
    # The pids are said on the standard output, and a worker's log lines would come in between.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    random.seed(f"{arguments.seed}:{name}:{arguments.lives[name]}")
    task = dispatch if name in DISPATCHERS else work
    try:
        task(name, arguments)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()
