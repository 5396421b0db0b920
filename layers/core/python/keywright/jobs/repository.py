"""Rows of ``jobs`` and ``job_attempts`` as workers write them. What staff reads is in ``record_repository``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from keywright.jobs.models import Expired, Failure, Job, JobState, Outcome, Recovery
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def read_clock(tx: Transaction) -> datetime:
    """Return the database's time."""
    row = tx.one(_sql.read_clock)
    assert row is not None
    now: datetime = row["now"]
    return now


def add_job(tx: Transaction, row: Row) -> bool:
    """Insert a job unless its key is taken; tell whether it is new."""
    return tx.insert_new(_sql.add_job, unique_key="uq_jobs_key", correlation_id=tx.correlation_id, **row)


def add_jobs(tx: Transaction, rows: Sequence[Row]) -> None:
    """Insert jobs; those whose key is taken are left out."""
    common = {"correlation_id": tx.correlation_id, "state": JobState.PENDING}
    tx.run_many(_sql.add_jobs, [{**row, **common} for row in rows])


def lock_due(tx: Transaction, *, now: datetime, limit: int) -> list[Job]:
    """Return jobs that are due and that nobody else is claiming, in the order of the queue."""
    return [_job(row) for row in tx.all(_sql.lock_due, now=now, limit=limit)]


def lock_due_of(tx: Transaction, *, job_sids: Sequence[str], now: datetime) -> list[Job]:
    """Return those of the jobs that are due and that nobody else is claiming."""
    return [_job(row) for row in tx.all(_sql.lock_due_of, job_sids=tuple(job_sids), now=now)]


def start_attempts(
    tx: Transaction, jobs: Sequence[Job], *, owner: str, begun: bool, now: datetime, lease_expires_at: datetime
) -> None:
    """Count an attempt of each job and take its lease."""
    tx.run(
        _sql.start_attempts,
        job_sids=_sids(jobs),
        owner=owner,
        claimed_with=len(jobs) if begun else 1,
        begun=begun,
        now=now,
        lease_expires_at=lease_expires_at,
    )


def begin(tx: Transaction, job: Job, *, now: datetime, lease_expires_at: datetime) -> bool:
    """Let the job's time run; False if the lease is somebody else's."""
    found = tx.run(
        _sql.begin_job, job_sid=job.job_sid, lease_token=job.lease_token, now=now, lease_expires_at=lease_expires_at
    )
    return found == 1


def renew(tx: Transaction, jobs: Sequence[Job], *, lease_expires_at: datetime) -> int:
    """Prolong the leases; return how many were still ours."""
    return tx.run(_sql.renew_leases, **_leases(jobs), lease_expires_at=lease_expires_at)


def release(tx: Transaction, jobs: Sequence[Job]) -> int:
    """Give jobs back as they were before the claim; return how many were still ours."""
    return tx.run(_sql.release_jobs, **_leases(jobs))


def complete(tx: Transaction, jobs: Sequence[Job], *, now: datetime) -> int:
    """Mark the jobs done; return how many were still ours."""
    return tx.run(_sql.complete_jobs, **_leases(jobs), now=now)


def retry(tx: Transaction, job: Job, *, due_at: datetime, error: str) -> bool:
    """Give the job back until ``due_at``; False if the lease is somebody else's."""
    return tx.run(_sql.retry_job, job_sid=job.job_sid, lease_token=job.lease_token, due_at=due_at, error=error) == 1


def bury(tx: Transaction, job: Job, *, error: str, now: datetime) -> bool:
    """Give the job up; False if the lease is somebody else's."""
    return tx.run(_sql.bury_job, job_sid=job.job_sid, lease_token=job.lease_token, error=error, now=now) == 1


def record_attempts(
    tx: Transaction,
    job_sids: Sequence[str],
    *,
    worker: str,
    outcome: Outcome,
    now: datetime,
    failure: Failure | None = None,
    note: str | None = None,
) -> None:
    """Write what the attempts came to; the caller has just passed the fence, or holds the rows."""
    tx.run(
        _sql.record_attempts,
        job_sids=tuple(job_sids),
        worker=worker,
        outcome=outcome,
        error_class=failure.error_class if failure else None,
        message=failure.message if failure else note,
        now=now,
    )


def lock_expired(tx: Transaction, *, now: datetime, limit: int) -> list[tuple[Expired, str]]:
    """Return jobs whose lease has run out, each with its lost owner."""
    return [_expired(row) for row in tx.all(_sql.lock_expired, now=now, limit=limit)]


def lock_expired_of(tx: Transaction, *, job_sids: Sequence[str], now: datetime) -> list[tuple[Expired, str]]:
    """Return those of the jobs whose lease has run out, each with its lost owner."""
    return [_expired(row) for row in tx.all(_sql.lock_expired_of, job_sids=tuple(job_sids), now=now)]


def recover(tx: Transaction, job_sid: str, recovery: Recovery, *, now: datetime) -> None:
    """Write what becomes of an expired job; the caller holds its row."""
    tx.run(
        _sql.recover_job,
        job_sid=job_sid,
        state=recovery.state,
        attempts=recovery.attempts,
        worker_losses=recovery.worker_losses,
        isolated=int(recovery.isolated),
        due_at=recovery.due_at,
        error=recovery.message or None,
        now=now,
    )


def list_due(tx: Transaction, *, now: datetime, limit: int) -> list[str]:
    """Return the sids of jobs that are due, in the order of the queue."""
    return [row["job_sid"] for row in tx.all(_sql.list_due, now=now, limit=limit)]


def drop_old_attempts(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Delete attempts that ended before then; return how many."""
    rows = tx.all(_sql.list_old_attempts, before=before, limit=limit)
    keys = tuple((row["job_sid"], row["lease_token"]) for row in rows)
    return tx.run(_sql.drop_attempts, attempts=keys) if keys else 0


def drop_old_jobs(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Delete jobs that ended before then and whose key nobody needs; return how many."""
    job_sids = tuple(row["job_sid"] for row in tx.all(_sql.list_old_jobs, before=before, limit=limit))
    return tx.run(_sql.drop_jobs, job_sids=job_sids) if job_sids else 0


def _job(row: Row) -> Job:
    return Job(**{**row, "payload": json.loads(row["payload"]), "isolated": bool(row["isolated"])})


def _expired(row: Row) -> tuple[Expired, str]:
    owner = str(row.pop("lease_owner"))
    return Expired(**{**row, "isolated": bool(row["isolated"]), "begun": bool(row["begun"])}), owner


def _sids(jobs: Sequence[Job]) -> tuple[str, ...]:
    return tuple(job.job_sid for job in jobs)


def _leases(jobs: Sequence[Job]) -> dict[str, Any]:
    return {"job_sids": _sids(jobs), "leases": tuple((job.job_sid, job.lease_token) for job in jobs)}
