"""
``keywright worker``: the job worker as a long-running process, for where no function runs it or it cannot keep up.

SIGTERM and SIGINT end it: it claims no more, finishes the job in hand, gives back what it has not begun, and exits.
If that job outlasts the grace, the process exits without it, and its lease runs out.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import threading
from datetime import timedelta
from types import FrameType

from functions.job_worker.executors import JOBS
from keywright.jobs.heartbeat import Heart
from keywright.jobs.worker import Pace, Worker
from keywright.platform import db, log
from keywright.platform.errors import DatabaseUnavailable

EXIT_OVERRUN = 75
"""The job in hand outlasted the grace; EX_TEMPFAIL of sysexits.h."""


def add_command(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("--batch", type=_positive, default=10, help="jobs to claim at once (10)")
    parser.add_argument("--lease-s", type=_positive, default=30, help="seconds until a dead worker's jobs go on (30)")
    parser.add_argument("--idle-s", type=float, default=1.0, help="seconds between two looks at an empty queue (1)")
    parser.add_argument("--grace-s", type=float, default=60.0, help="seconds that the job in hand has to end (60)")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    stop = _stop_on_signals(grace_s=arguments.grace_s)
    lease = timedelta(seconds=arguments.lease_s)
    with Heart(transact=db.transact, disconnect=db.discard, lease=lease) as heart:
        worker = Worker(
            owner=f"{socket.gethostname()}:{os.getpid()}",
            executors=JOBS,
            transact=db.transact,
            reconnect=db.discard,
            pace=Pace(batch=arguments.batch, lease=lease),
            held=heart.keep,
        )
        log.info("worker started", batch=arguments.batch)
        work_until(stop, worker, idle_s=arguments.idle_s)
    db.discard()
    log.info("worker ended")


def work_until(stop: threading.Event, worker: Worker, *, idle_s: float) -> None:
    """Do what is due, and wait where nothing is, until the stop is asked for."""
    while not stop.is_set():
        try:
            carried_out = worker.run_due(may_begin=lambda _longest: not stop.is_set())
        except DatabaseUnavailable as problem:
            # It was claimed under a lease, so nothing is lost; look again when the server may be back.
            log.warning("the database does not answer", reason=problem.detail)
            carried_out = 0
        if not carried_out:
            stop.wait(idle_s)


def _stop_on_signals(*, grace_s: float) -> threading.Event:
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            return
        stop.set()
        overrun = threading.Timer(grace_s, os._exit, (EXIT_OVERRUN,))
        overrun.daemon = True
        overrun.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
