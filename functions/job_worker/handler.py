"""
Runs jobs. A batch of hints says that there is work, and names some; the rows decide what is done.

An executor may call the network, outside any transaction. What it returns is applied in the transaction that completes
the job, under the lease: if the lease is lost, the effects roll back with it.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import Any

from functions.job_worker.executors import JOBS
from keywright.jobs.worker import Worker
from keywright.platform import db, hints

__all__ = ["JOBS", "handler"]

# What it takes to write down how a job ended, and to give back the others.
_RESERVE = timedelta(seconds=3)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the jobs that an SQS batch hints at, and then, while there is time, whatever else is due."""

    def has_time_for(longest: timedelta) -> bool:
        return timedelta(milliseconds=context.get_remaining_time_in_millis()) >= longest + _RESERVE

    def work(told: list[str]) -> None:
        owner = f"{socket.gethostname()}:{os.getpid()}"
        worker = Worker(owner=owner, executors=JOBS, transact=db.transact, reconnect=db.discard)
        worker.run_these(list(dict.fromkeys(told)), may_begin=has_time_for)
        # A hint that was lost is made good by the next one that was not.
        while told and worker.run_due(may_begin=has_time_for):
            pass

    return hints.answer_together(event, field="job_sid", handle=work)
