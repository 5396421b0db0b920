"""What staff sees of jobs and does to them, and the figures that are watched."""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.jobs import record_repository, rules
from keywright.jobs.models import Attempt, Figures, JobNotFound, JobNotRetryable, JobRecord, JobState, Selection
from keywright.jobs.service import database_time
from keywright.platform import paging, queue
from keywright.platform.db import Transaction
from keywright.platform.paging import Page

_RETRYABLE = frozenset({JobState.DEAD, JobState.FAILED})


def list_jobs(tx: Transaction, selection: Selection, *, limit: int, cursor: str | None) -> Page[JobRecord]:
    """
    Return a page of jobs, the newest first.

    :raises CursorInvalid: if the cursor is none that a list gave out
    """
    found = record_repository.list_jobs(tx, selection, before=paging.decode(cursor), limit=limit + 1)
    return paging.page(found, limit=limit, key=lambda job: job.job_sid)


def get_job(tx: Transaction, *, job_sid: str) -> tuple[JobRecord, list[Attempt]]:
    """
    Return a job and its attempts that have ended.

    :raises JobNotFound: if there is none
    """
    job = record_repository.find_job(tx, job_sid=job_sid)
    if job is None:
        raise _absent(job_sid)
    return job, record_repository.list_attempts(tx, job_sid=job_sid)


def retry(tx: Transaction, *, job_sid: str, actor: Actor, now: datetime) -> JobRecord:
    """
    Make a job that is DEAD or FAILED due now, with all its attempts before it.

    :raises JobNotFound: if there is none
    :raises JobNotRetryable: if it waits, runs or is done, or another job has its key
    """
    job = record_repository.lock_job(tx, job_sid=job_sid)
    if job is None:
        raise _absent(job_sid)
    if job.state not in _RETRYABLE:
        raise JobNotRetryable(f"The job is {job.state}; only DEAD and FAILED jobs are retried.")
    if not record_repository.revive(tx, job_sid=job_sid, due_at=min(now, database_time(tx))):
        raise JobNotRetryable("Another job with the same key is under way.")
    old = {"state": job.state, "attempts": job.attempts, "last_error": job.last_error}
    audit.record(
        tx,
        "JOB_RETRIED",
        actor=actor,
        subject=job_sid,
        old=old,
        new={"state": JobState.PENDING, "kind": job.kind},
        now=now,
    )
    tx.after_commit(lambda: queue.hint(queue.JOBS, [{"job_sid": job_sid}]))
    revived = record_repository.find_job(tx, job_sid=job_sid)
    assert revived is not None
    return revived


def read_figures(tx: Transaction, *, now: datetime) -> Figures:
    """Return the queue in numbers; attempts are those of the last full minute."""
    until = now.replace(second=0, microsecond=0)
    since = until - timedelta(minutes=1)
    return record_repository.read_figures(tx, now=now, dead_since=now - rules.WATCHED, since=since, until=until)


def _absent(job_sid: str) -> JobNotFound:
    return JobNotFound(f"No job has the sid {job_sid}.")
