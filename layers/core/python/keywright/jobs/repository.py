"""Rows of the table ``jobs``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from keywright.jobs.models import Job
from keywright.platform import sql
from keywright.platform.db import Transaction

_sql = sql.load(__file__)


def add_job(
    tx: Transaction,
    *,
    job_sid: str,
    job_key: str,
    kind: str,
    payload: Mapping[str, str],
    max_attempts: int,
    due_at: datetime,
    now: datetime,
) -> bool:
    """Insert a job unless its key is known; tell whether it is new."""
    return tx.insert_new(
        _sql.add_job,
        unique_key="uq_jobs_key",
        job_sid=job_sid,
        job_key=job_key,
        kind=kind,
        payload=json.dumps(payload, sort_keys=True),
        max_attempts=max_attempts,
        due_at=due_at,
        correlation_id=tx.correlation_id,
        now=now,
    )


def lock_claimable(tx: Transaction, *, job_sid: str, now: datetime) -> Job | None:
    """Return the job if it is due or abandoned and nobody else is claiming it."""
    row = tx.one(_sql.lock_claimable, job_sid=job_sid, now=now)
    return None if row is None else Job(**{**row, "payload": json.loads(row["payload"])})


def start_attempt(tx: Transaction, *, job_sid: str, owner: str, lease_expires_at: datetime) -> None:
    """Count an attempt and take the lease."""
    tx.run(_sql.start_attempt, job_sid=job_sid, owner=owner, lease_expires_at=lease_expires_at)


def complete(tx: Transaction, job: Job, *, now: datetime) -> bool:
    """Mark the job done; False if the lease is somebody else's."""
    return tx.run(_sql.complete_job, job_sid=job.job_sid, lease_token=job.lease_token, now=now) == 1


def retry(tx: Transaction, job: Job, *, due_at: datetime, error: str) -> bool:
    """Give the job back until ``due_at``; False if the lease is somebody else's."""
    return tx.run(_sql.retry_job, job_sid=job.job_sid, lease_token=job.lease_token, due_at=due_at, error=error) == 1


def bury(tx: Transaction, job: Job, *, error: str, now: datetime) -> bool:
    """Give the job up; False if the lease is somebody else's."""
    return tx.run(_sql.bury_job, job_sid=job.job_sid, lease_token=job.lease_token, error=error, now=now) == 1


def bury_exhausted(tx: Transaction, *, job_sid: str, now: datetime) -> None:
    """Give up a job whose last worker was lost; the caller holds its row."""
    tx.run(_sql.bury_exhausted, job_sid=job_sid, now=now)


def list_claimable(tx: Transaction, *, now: datetime, limit: int) -> list[str]:
    """Return the sids of jobs that are due or whose lease has run out."""
    due = tx.all(_sql.list_due, now=now, limit=limit)
    abandoned = tx.all(_sql.list_abandoned, now=now, limit=limit)
    return [row["job_sid"] for row in [*due, *abandoned]]
