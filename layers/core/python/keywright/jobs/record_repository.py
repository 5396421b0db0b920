"""Rows of ``jobs`` and ``job_attempts`` as staff reads them, and what is measured of them."""

from __future__ import annotations

import json
from datetime import datetime

from keywright.jobs.models import Attempt, Figures, JobRecord, JobState, KeyScope, Outcome, Selection
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)

_MOST_ATTEMPTS = 200


def list_jobs(tx: Transaction, selection: Selection, *, before: str, limit: int) -> list[JobRecord]:
    """Return jobs older than the one with the sid ``before``, the newest first."""
    rows = tx.all(
        _sql.list_jobs,
        kind=selection.kind,
        state=selection.state,
        created_before=selection.created_before,
        before=before,
        limit=limit,
    )
    return [_record(row) for row in rows]


def find_job(tx: Transaction, *, job_sid: str) -> JobRecord | None:
    """Return the job."""
    row = tx.one(_sql.find_job, job_sid=job_sid)
    return None if row is None else _record(row)


def lock_job(tx: Transaction, *, job_sid: str) -> JobRecord | None:
    """Return the job and keep others from it."""
    row = tx.one(_sql.lock_job, job_sid=job_sid)
    return None if row is None else _record(row)


def list_attempts(tx: Transaction, *, job_sid: str) -> list[Attempt]:
    """Return the last attempts that have ended, the oldest first."""
    rows = tx.all(_sql.list_attempts, job_sid=job_sid, limit=_MOST_ATTEMPTS)
    return [Attempt(**{**row, "outcome": Outcome(row["outcome"])}) for row in reversed(rows)]


def revive(tx: Transaction, *, job_sid: str, due_at: datetime) -> bool:
    """Make the job due again, with all its attempts; False if another job has its key."""
    return tx.insert_new(_sql.revive_job, unique_key="uq_jobs_key", job_sid=job_sid, due_at=due_at)


def read_figures(tx: Transaction, *, now: datetime, dead_since: datetime, since: datetime, until: datetime) -> Figures:
    """Measure the queue now, and the attempts that ended from ``since`` until ``until``."""
    waits = {row["kind"]: (now - row["oldest"]).total_seconds() for row in tx.all(_sql.read_waits, now=now)}
    dead = {row["kind"]: int(row["jobs"]) for row in tx.all(_sql.count_dead, since=dead_since)}
    ended = {
        (row["kind"], Outcome(row["outcome"])): int(row["attempts"])
        for row in tx.all(_sql.count_ended, since=since, until=until)
    }
    return Figures(waits, dead, ended)


def _record(row: Row) -> JobRecord:
    return JobRecord(
        **{
            **row,
            "payload": json.loads(row["payload"]),
            "state": JobState(row["state"]),
            "key_scope": KeyScope(row["key_scope"]),
        }
    )
