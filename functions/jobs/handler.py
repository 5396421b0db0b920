"""The jobs, for staff: which there are, what became of each attempt, and another try for those that failed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from keywright.audit.models import user as acting
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity.repetition import Repetition
from keywright.jobs import oversight
from keywright.jobs.models import (
    Attempt,
    JobRecord,
    JobState,
    KeyScope,
    Outcome,
    Selection,
)
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page

app = http.api()

KindName = Annotated[str | None, Query(max_length=64, pattern=r"^[a-z][a-z.-]*$")]
# Ten years: what is older than the deployment is no selection.
MinAge = Annotated[int | None, Query(ge=0, le=10 * 365 * 86400)]


class JobAnswer(http.Body):
    """A job. ``attempts`` counts since it was enqueued or last retried by hand."""

    job_sid: str
    kind: str
    state: JobState
    priority: int
    attempts: int
    max_attempts: int
    worker_losses: int
    due_at: str
    created_at: str
    finished_at: str | None
    last_error: str | None
    correlation_id: str | None


class JobsAnswer(http.Body):
    """A page of jobs, the newest first."""

    items: list[JobAnswer]
    next_cursor: str | None


class AttemptAnswer(http.Body):
    """An attempt that has ended. ``message`` is the error's, or says why nothing had to be done."""

    attempt: int
    worker: str
    started_at: str
    ended_at: str
    outcome: Outcome
    error_class: str | None
    message: str | None


class JobDetailAnswer(JobAnswer):
    """A job with its payload, who holds it, and every attempt that has ended."""

    job_key: str
    key_scope: KeyScope
    payload: dict[str, str]
    lease_owner: str | None
    lease_expires_at: str | None
    started_at: str | None
    history: list[AttemptAnswer]


@app.get("/v1/jobs", summary="List jobs", tags=["jobs"])
def list_jobs(
    kind: KindName = None,
    state: Annotated[JobState | None, Query()] = None,
    min_age_s: MinAge = None,
    limit: Limit = paging.DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> JobsAnswer:
    """Return a page of jobs, the newest first: of one kind, in one state, created at least so many seconds ago."""
    access, now = identity_gateway.access_tokens(), clock.now()
    before = None if min_age_s is None else now - timedelta(seconds=min_age_s)

    def work(tx: Transaction) -> Page[JobRecord]:
        identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return oversight.list_jobs(tx, Selection(kind, state, before), limit=limit, cursor=cursor)

    page = db.transact(work)
    return JobsAnswer(items=[JobAnswer(**_fields(job)) for job in page.items], next_cursor=page.next_cursor)


@app.get("/v1/jobs/<job_sid>", summary="Get a job", tags=["jobs"])
def get_job(job_sid: str) -> JobDetailAnswer:
    """Return a job with its attempts."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> tuple[JobRecord, list[Attempt]]:
        identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return oversight.get_job(tx, job_sid=job_sid)

    job, history = db.transact(work)
    return JobDetailAnswer(
        **_fields(job),
        job_key=job.job_key,
        key_scope=job.key_scope,
        payload=dict(job.payload),
        lease_owner=job.lease_owner,
        lease_expires_at=_time(job.lease_expires_at),
        started_at=_time(job.started_at),
        history=[_attempt(attempt) for attempt in history],
    )


@app.post("/v1/jobs/<job_sid>/retry", summary="Retry a job", tags=["jobs"])
def retry_job(job_sid: str) -> JobAnswer:
    """Make a job that is DEAD or FAILED due now; its attempts are counted anew."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> JobRecord:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return oversight.retry(tx, job_sid=job_sid, actor=acting(caller.user_sid), now=now)

    return JobAnswer(**_fields(db.transact(work)))


def _fields(job: JobRecord) -> dict[str, object]:
    return {
        "job_sid": job.job_sid,
        "kind": job.kind,
        "state": job.state,
        "priority": job.priority,
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "worker_losses": job.worker_losses,
        "due_at": clock.to_wire(job.due_at),
        "created_at": clock.to_wire(job.created_at),
        "finished_at": _time(job.finished_at),
        "last_error": job.last_error,
        "correlation_id": job.correlation_id,
    }


def _attempt(attempt: Attempt) -> AttemptAnswer:
    return AttemptAnswer(
        attempt=attempt.attempt,
        worker=attempt.worker,
        started_at=clock.to_wire(attempt.started_at),
        ended_at=clock.to_wire(attempt.ended_at),
        outcome=attempt.outcome,
        error_class=attempt.error_class,
        message=attempt.message,
    )


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else clock.to_wire(moment)


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
