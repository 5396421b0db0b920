"""
The life of a job: enqueued with its cause, claimed under a lease, finished with its effects.

Expired leases, schedules and retention are in ``recovery``; what staff sees and does is in ``oversight``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from keywright.jobs import kinds, recovery, repository, rules
from keywright.jobs.kinds import Backoff, Kind
from keywright.jobs.models import Dead, Failure, Job, KeyScope, LeaseLost, Outcome
from keywright.platform import ids, queue
from keywright.platform.db import Row, Transaction

_ERROR_LENGTH = 2000
_BATCH = 500


def database_time(tx: Transaction) -> datetime:
    """Return the time by the one clock that all workers share; leases and due times are kept by no other."""
    return repository.read_clock(tx)


def enqueue(
    tx: Transaction,
    kind: Kind | str,
    payload: Mapping[str, str],
    *,
    key: str,
    now: datetime,
    due_at: datetime | None = None,
    scope: KeyScope = KeyScope.FOREVER,
) -> None:
    """
    Add a job to the caller's transaction; it exists if and only if the transaction commits.

    ``key`` names the business cause: enqueueing the same cause again does nothing, for ever or, with the scope
    ACTIVE, until the job has ended.

    :raises UnknownKind: if the kind is not registered
    :raises PayloadInvalid: if the payload does not fit the kind's model
    """
    # By the earlier of two clocks: one that runs ahead must not hold back what is due at once.
    due = due_at or min(now, database_time(tx))
    row = _row(kinds.find(kind), payload, key=key, now=now, due_at=due, scope=scope)
    if repository.add_job(tx, row):
        _hint_at(tx, [row["job_sid"]], due_at=due_at or now, now=now)


def enqueue_many(
    tx: Transaction,
    kind: Kind | str,
    payloads: Iterable[tuple[str, Mapping[str, str]]],
    *,
    now: datetime,
    scope: KeyScope = KeyScope.FOREVER,
) -> None:
    """
    Add many jobs of one kind, given as (key, payload), to the caller's transaction. One hint tells of all.

    :raises UnknownKind: if the kind is not registered
    :raises PayloadInvalid: if a payload does not fit the kind's model
    """
    known = kinds.find(kind)
    due_at = min(now, database_time(tx))
    rows = [_row(known, payload, key=key, now=now, due_at=due_at, scope=scope) for key, payload in payloads]
    for start in range(0, len(rows), _BATCH):
        repository.add_jobs(tx, rows[start : start + _BATCH])
    # The worker takes whatever is due beside what it is told of, so one hint wakes it for the whole lot.
    _hint_at(tx, [row["job_sid"] for row in rows[:1]], due_at=now, now=now)


def claim(tx: Transaction, *, job_sid: str, owner: str, now: datetime, lease: timedelta = rules.LEASE) -> Job | None:
    """Lease the job to ``owner``; None if it is done, not due, or in somebody's hands."""
    claimed = claim_these(tx, job_sids=[job_sid], owner=owner, now=now, lease=lease)
    return claimed[0] if claimed else None


def claim_these(
    tx: Transaction, *, job_sids: Sequence[str], owner: str, now: datetime, lease: timedelta = rules.LEASE
) -> list[Job]:
    """Lease those of the jobs that are due, or abandoned, to ``owner``. A hint says which; the rows say whether."""
    if not job_sids:
        return []
    recovery.recover_these(tx, job_sids=job_sids, now=now)
    return _start(tx, repository.lock_due_of(tx, job_sids=job_sids, now=now), owner=owner, now=now, lease=lease)


def claim_due(
    tx: Transaction,
    *,
    limit: int,
    owner: str,
    now: datetime,
    lease: timedelta = rules.LEASE,
    registry: Mapping[str, Kind] = kinds.KINDS,
) -> list[Job]:
    """Lease the first jobs of the queue to ``owner``; light ones are begun with the claim."""
    found = repository.lock_due(tx, now=now, limit=limit)
    return _start(tx, found, owner=owner, now=now, lease=lease, registry=registry)


def begin(tx: Transaction, job: Job, *, now: datetime, lease: timedelta = rules.LEASE) -> None:
    """
    Let the time of a job run that was claimed in a batch.

    :raises LeaseLost: if the lease went to somebody else meanwhile
    """
    if not repository.begin(tx, job, now=now, lease_expires_at=now + lease):
        raise _lost([job])


def heartbeat(tx: Transaction, jobs: Sequence[Job], *, now: datetime, lease: timedelta = rules.LEASE) -> None:
    """
    Prolong leases, up to the deadline of what has begun.

    :raises LeaseLost: if one of them went to somebody else
    """
    if jobs and repository.renew(tx, jobs, lease_expires_at=now + lease) != len(jobs):
        raise _lost(jobs)


def release(tx: Transaction, jobs: Sequence[Job], *, now: datetime) -> None:
    """Give back what was claimed and not begun; the attempt is not counted, and others are told at once."""
    if jobs:
        repository.release(tx, jobs)
        _hint_at(tx, [job.job_sid for job in jobs], due_at=now, now=now)


def complete(tx: Transaction, job: Job, *, now: datetime, note: str | None = None) -> None:
    """
    Mark the job done, in the transaction of its effects. ``note`` says why nothing was done, if nothing was.

    :raises LeaseLost: if the lease went to somebody else, so that the effects roll back
    """
    complete_many(tx, [job], now=now, note=note)


def complete_many(tx: Transaction, jobs: Sequence[Job], *, now: datetime, note: str | None = None) -> None:
    """
    Mark jobs without effects done, all or none.

    :raises LeaseLost: if one of the leases went to somebody else
    """
    if not jobs:
        return
    if repository.complete(tx, jobs, now=now) != len(jobs):
        raise _lost(jobs)
    job_sids = [job.job_sid for job in jobs]
    repository.record_attempts(tx, job_sids, worker=jobs[0].owner, outcome=Outcome.COMPLETED, note=note, now=now)


def fail(
    tx: Transaction,
    job: Job,
    *,
    error: str | Failure,
    now: datetime,
    jitter: float,
    backoff: Backoff | None = None,
) -> None:
    """
    Record a failed attempt: a later retry, or death when the attempts are used up or no other could help.

    :raises LeaseLost: if the lease went to somebody else
    """
    failure = error if isinstance(error, Failure) else Failure("Error", error)
    text = failure.message[:_ERROR_LENGTH]
    decision = rules.after_failure(
        job, now=now, jitter=jitter, backoff=backoff or _backoff(job.kind), permanent=failure.permanent
    )
    if isinstance(decision, Dead):
        recorded = repository.bury(tx, job, error=text, now=now)
    else:
        recorded = repository.retry(tx, job, due_at=decision.due_at, error=text)
        _hint_at(tx, [job.job_sid], due_at=decision.due_at, now=now)
    if not recorded:
        raise _lost([job])
    repository.record_attempts(
        tx, [job.job_sid], worker=job.owner, outcome=Outcome.FAILED, failure=replace(failure, message=text), now=now
    )


def hint_claimable(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Recover what was abandoned, then hint the worker about every job that is due; return how many."""
    recovery.recover(tx, now=now, limit=limit)
    job_sids = repository.list_due(tx, now=now, limit=limit)
    tx.after_commit(lambda: queue.hint(queue.JOBS, [{"job_sid": job_sid} for job_sid in job_sids]))
    return len(job_sids)


def _start(
    tx: Transaction,
    found: Sequence[Job],
    *,
    owner: str,
    now: datetime,
    lease: timedelta,
    registry: Mapping[str, Kind] = kinds.KINDS,
) -> list[Job]:
    taken = _together(found)
    # Light jobs begin with the claim, and so does one that is alone; others begin one by one.
    light = {job.job_sid for job in taken if len(taken) == 1 or (job.kind in registry and registry[job.kind].light)}
    for begun in (True, False):
        some = [job for job in taken if (job.job_sid in light) is begun]
        if some:
            repository.start_attempts(tx, some, owner=owner, begun=begun, now=now, lease_expires_at=now + lease)
    return [
        replace(
            job,
            attempts=job.attempts + 1,
            lease_token=job.lease_token + 1,
            owner=owner,
            begun=job.job_sid in light,
        )
        for job in taken
    ]


def _together(found: Sequence[Job]) -> Sequence[Job]:
    """Return the head of the list that one worker may take at once: what may be poison is taken alone."""
    for position, job in enumerate(found):
        if job.isolated:
            return found[: max(position, 1)]
    return found


def _row(kind: Kind, payload: Mapping[str, str], *, key: str, now: datetime, due_at: datetime, scope: KeyScope) -> Row:
    kind.payload.check(payload)
    return {
        "job_sid": ids.new("job", now=now),
        "job_key": f"{kind.name}:{key}",
        "key_scope": scope,
        "kind": kind.name,
        "payload": json.dumps(payload, sort_keys=True),
        "priority": int(kind.priority),
        "max_attempts": kind.max_attempts,
        "timeout_s": kind.timeout_s,
        "due_at": due_at,
        "now": now,
    }


def _hint_at(tx: Transaction, job_sids: Sequence[str], *, due_at: datetime, now: datetime) -> None:
    # One second more than exact: a hint that arrives early finds nothing due and is gone.
    delay_s = 0 if due_at <= now else int((due_at - now).total_seconds()) + 1
    tx.after_commit(lambda: queue.hint(queue.JOBS, [{"job_sid": sid} for sid in job_sids], delay_s=delay_s))


def _backoff(kind: str) -> Backoff:
    return kinds.KINDS[kind].backoff if kind in kinds.KINDS else Backoff()


def _lost(jobs: Sequence[Job]) -> LeaseLost:
    return LeaseLost(f"The lease of {', '.join(job.job_sid for job in jobs)} is lost.")
