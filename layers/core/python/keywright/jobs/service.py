"""The life of a job: enqueued with its cause, claimed under a lease, finished with its effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from keywright.jobs import repository, rules
from keywright.jobs.models import Dead, Job, LeaseLost
from keywright.platform import ids, queue
from keywright.platform.db import Transaction

_ERROR_LENGTH = 2000


def enqueue(
    tx: Transaction,
    kind: str,
    payload: Mapping[str, str],
    *,
    key: str,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """
    Add a job to the caller's transaction; it exists if and only if the transaction commits.

    ``key`` names the business cause and is unique for ever: enqueueing the same cause again does nothing.
    """
    job_sid = ids.new("job", now=now)
    added = repository.add_job(
        tx,
        job_sid=job_sid,
        job_key=f"{kind}:{key}",
        kind=kind,
        payload=payload,
        max_attempts=rules.MAX_ATTEMPTS,
        due_at=due_at or now,
        now=now,
    )
    if added:
        _hint_at(tx, job_sid, due_at=due_at or now, now=now)


def claim(tx: Transaction, *, job_sid: str, owner: str, now: datetime) -> Job | None:
    """Lease the job to ``owner``; None if it is done, not due, or in somebody's hands."""
    job = repository.lock_claimable(tx, job_sid=job_sid, now=now)
    if job is None:
        return None
    if job.attempts >= job.max_attempts:
        repository.bury_exhausted(tx, job_sid=job_sid, now=now)
        return None
    repository.start_attempt(tx, job_sid=job_sid, owner=owner, lease_expires_at=now + rules.LEASE)
    return replace(job, attempts=job.attempts + 1, lease_token=job.lease_token + 1)


def complete(tx: Transaction, job: Job, *, now: datetime) -> None:
    """
    Mark the job done, in the transaction of its effects.

    :raises LeaseLost: if the lease went to somebody else, so that the effects roll back
    """
    if not repository.complete(tx, job, now=now):
        raise LeaseLost(f"The lease of {job.job_sid} is lost.")


def fail(tx: Transaction, job: Job, *, error: str, now: datetime, jitter: float) -> None:
    """
    Record a failed attempt: a later retry, or death when the attempts are used up.

    :raises LeaseLost: if the lease went to somebody else
    """
    decision = rules.after_failure(job, now=now, jitter=jitter)
    text = error[:_ERROR_LENGTH]
    if isinstance(decision, Dead):
        recorded = repository.bury(tx, job, error=text, now=now)
    else:
        recorded = repository.retry(tx, job, due_at=decision.due_at, error=text)
        _hint_at(tx, job.job_sid, due_at=decision.due_at, now=now)
    if not recorded:
        raise LeaseLost(f"The lease of {job.job_sid} is lost.")


def hint_claimable(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Hint the worker about every job that is due or abandoned; return how many."""
    job_sids = repository.list_claimable(tx, now=now, limit=limit)
    tx.after_commit(lambda: queue.hint(queue.JOBS, [{"job_sid": job_sid} for job_sid in job_sids]))
    return len(job_sids)


def _hint_at(tx: Transaction, job_sid: str, *, due_at: datetime, now: datetime) -> None:
    # One second more than exact: a hint that arrives early finds nothing due and is gone.
    delay_s = 0 if due_at <= now else int((due_at - now).total_seconds()) + 1
    tx.after_commit(lambda: queue.hint(queue.JOBS, [{"job_sid": job_sid}], delay_s=delay_s))
