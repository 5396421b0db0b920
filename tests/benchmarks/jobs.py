"""
Jobs per second: ours beside procrastinate and graphile-worker, one after the other, round by round.

``python -m tests.benchmarks.jobs``. The peers are looked for where the environment says, and left out with a reason
where it does not: KEYWRIGHT_PEERS (a folder with jobs_procrastinate.py and jobs_graphile.mjs, and node_modules beside
the latter), KEYWRIGHT_PEERS_PYTHON (an interpreter that has procrastinate), KEYWRIGHT_PEERS_POSTGRES (a URL without a
database name). No hints are sent: there is no SQS here, and a stand-in for it would be what is measured.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from keywright.jobs import service
from keywright.jobs.kinds import Kind, Payload
from keywright.jobs.worker import Pace, Worker
from keywright.platform import clock, connection, db
from keywright.platform.db import Transaction
from tests.benchmarks.deployment import deployed_database
from tests.conftest import Database

ROUNDS = 3
JOBS = 20_000
PEERS_JOBS = {"procrastinate": 4_000, "graphile-worker": 20_000}
PROCESSES = 2
CLAIM = 50
NOOP = Kind("bench.noop", Payload(frozenset({"i"})), light=True)

Rates = dict[str, float]


def ours(database: Database) -> Rates:
    """Measure enqueueing one by one and 500 at once, then carrying out what is there."""
    database.empty()
    context = multiprocessing.get_context("fork")
    began = time.perf_counter()
    _together(context, 8, _enqueue_some, JOBS // 4 // 8)
    one_by_one = JOBS // 4 / (time.perf_counter() - began)
    began = time.perf_counter()
    _enqueue_batches(JOBS * 3 // 4)
    batched = JOBS * 3 // 4 / (time.perf_counter() - began)
    began = time.perf_counter()
    _together(context, PROCESSES, _carry_out, 0)
    executed = JOBS / (time.perf_counter() - began)
    (left,) = database.execute("SELECT COUNT(*) AS n FROM jobs WHERE state <> 'COMPLETED'")
    assert left["n"] == 0, f"{left['n']} jobs were not carried out"
    return {"enqueue one by one": one_by_one, "enqueue 500 at once": batched, "execute": executed}


def _together(context: multiprocessing.context.ForkContext, count: int, task: Callable[[int], None], size: int) -> None:
    processes = [context.Process(target=task, args=(size,)) for _ in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0, "a process of the measurement failed"


def _enqueue_some(count: int) -> None:
    line = connection.connect()
    for number in range(count):
        line.begin()
        service.enqueue(Transaction(line), NOOP, {"i": "1"}, key=f"{os.getpid()}:{number}", now=clock.now())
        line.commit()
    line.close()


def _enqueue_batches(count: int) -> None:
    line = connection.connect()
    for start in range(0, count, 500):
        line.begin()
        payloads = [(f"batch:{start + number}", {"i": "1"}) for number in range(500)]
        service.enqueue_many(Transaction(line), NOOP, payloads, now=clock.now())
        line.commit()
    line.close()


def _carry_out(_size: int) -> None:
    # The lines are an operator's; 40 of them a second would be half of what is measured.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    worker = Worker(
        owner=f"bench:{os.getpid()}",
        executors={NOOP.name: lambda _payload: None},
        transact=db.transact,
        reconnect=db.discard,
        pace=Pace(batch=CLAIM),
        registry={NOOP.name: NOOP},
    )
    while worker.run_due(may_begin=lambda _longest: True):
        pass
    db.discard()


def peers() -> dict[str, Callable[[], Rates]]:
    """Return the peers that are there; say why another is not."""
    folder, python = os.environ.get("KEYWRIGHT_PEERS"), os.environ.get("KEYWRIGHT_PEERS_PYTHON")
    postgres = os.environ.get("KEYWRIGHT_PEERS_POSTGRES")
    found: dict[str, Callable[[], Rates]] = {}
    if not folder or not postgres or shutil.which("psql") is None:
        print("peers left out: KEYWRIGHT_PEERS, KEYWRIGHT_PEERS_POSTGRES or psql is missing")
        return found
    if python:
        command = [python, str(Path(folder) / "jobs_procrastinate.py"), f"{postgres}/procr"]
        found["procrastinate"] = lambda: _peer("procrastinate", command, postgres, "procr")
    else:
        print("procrastinate left out: KEYWRIGHT_PEERS_PYTHON is missing")
    if (Path(folder) / "node_modules" / "graphile-worker").is_dir():
        script = ["node", str(Path(folder) / "jobs_graphile.mjs"), f"{postgres}/graphile"]
        found["graphile-worker"] = lambda: _peer("graphile-worker", script, postgres, "graphile")
    else:
        print("graphile-worker left out: not among the node_modules of KEYWRIGHT_PEERS")
    return found


def _peer(name: str, command: list[str], postgres: str, database: str) -> Rates:
    for statement in (f"DROP DATABASE IF EXISTS {database}", f"CREATE DATABASE {database}"):
        subprocess.run(["psql", f"{postgres}/postgres", "-qc", statement], check=True, timeout=60)
    said = subprocess.run(
        [*command, str(PEERS_JOBS[name]), "8"], check=True, timeout=300, capture_output=True, text=True
    ).stdout
    rates = [float(rate) for rate in re.findall(r": (\d+) jobs/s", said)]
    return dict(zip(("enqueue one by one", "enqueue 500 at once", "execute"), rates, strict=True))


def main() -> None:
    """Measure all, interleaved, and print the medians and the medians of the ratios within a round."""
    seen: dict[tuple[str, str], list[float]] = defaultdict(list)
    others = peers()
    with deployed_database(durable=True) as database:
        for number in range(ROUNDS):
            for name, measure in {"keywright": lambda: ours(database), **others}.items():
                rates = measure()
                print(
                    f"round {number + 1} {name}: " + ", ".join(f"{k} {v:.0f}/s" for k, v in rates.items()), flush=True
                )
                for what, rate in rates.items():
                    seen[name, what].append(rate)
    for (name, what), rates_seen in seen.items():
        ratios = [mine / theirs for mine, theirs in zip(seen["keywright", what], rates_seen, strict=True)]
        print(
            f"{name:<16}{what:<22}{statistics.median(rates_seen):>10.0f} jobs/s"
            f"{'' if name == 'keywright' else f'   keywright / {name}: {statistics.median(ratios):.1f}'}"
        )


if __name__ == "__main__":
    main()
