"""Pure decisions about jobs: what follows a failure, what follows a lost worker, which periods are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from keywright.jobs.kinds import Backoff, Recurrence
from keywright.jobs.models import Dead, Expired, Job, JobState, Outcome, Recovery, RetryAt

LEASE = timedelta(seconds=90)
"""Longer than the job worker may run, so that a living owner never loses its lease."""

MAX_WORKER_LOSSES = 3
"""A job that was alone with so many workers when they were lost is poison."""

HISTORY = timedelta(days=90)
"""How long ended attempts, and ended jobs whose key is free again, are kept."""

WATCHED = timedelta(days=7)
"""How long a job that died is counted among the dead: what nobody retries within a week is decided."""

_SHORTEST_PAUSE = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEFAULT_BACKOFF = Backoff()


def after_failure(
    job: Job, *, now: datetime, jitter: float, backoff: Backoff = _DEFAULT_BACKOFF, permanent: bool = False
) -> RetryAt | Dead:
    """
    Decide what follows a failed attempt: exponential backoff with full jitter, then death.

    ``jitter`` is drawn from [0, 1): full jitter spreads the retries of jobs that failed together
    (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
    """
    if permanent or job.attempts >= job.max_attempts:
        return Dead()
    return RetryAt(now + _pause(job.attempts, backoff=backoff, jitter=jitter))


def after_expiry(job: Expired, *, now: datetime, jitter: float, backoff: Backoff = _DEFAULT_BACKOFF) -> Recovery:
    """
    Decide what becomes of a job whose lease has run out.

    Never begun: nothing happened, and the attempt is given back. Beyond its time: a failure like another. Lost with
    others of its batch: any of them may have been the cause, so each goes on alone, and none is charged. Lost alone:
    the attempt stays counted, and the third loss is the last.
    """
    if not job.begun:
        return _waiting(job, attempts=job.attempts - 1, due_at=now, outcome=None, message="")
    if job.deadline_at is not None and job.deadline_at <= now:
        due_at = now + _pause(job.attempts, backoff=backoff, jitter=jitter)
        return _ended(job, due_at=due_at, outcome=Outcome.TIMED_OUT, message="The attempt took longer than it may.")
    if job.claimed_with > 1:
        message = f"The worker was lost with {job.claimed_with} jobs begun; this one goes on alone."
        return _waiting(job, attempts=job.attempts - 1, due_at=now, outcome=Outcome.LOST, message=message, alone=True)
    losses = job.worker_losses + 1
    message = f"The worker was lost (loss {losses} of {MAX_WORKER_LOSSES})."
    if losses >= MAX_WORKER_LOSSES:
        return _dead(job, losses=losses, now=now, outcome=Outcome.LOST, message=message)
    return _ended(job, due_at=now, outcome=Outcome.LOST, message=message, losses=losses)


def periods(recurrence: Recurrence, *, now: datetime) -> list[datetime]:
    """Return the starts of the periods whose job must be there by now, the oldest first."""
    current = (now - _EPOCH) // recurrence.every
    return [_EPOCH + recurrence.every * n for n in range(current - recurrence.catch_up, current + 1)]


def period_key(start: datetime) -> str:
    """Return the job key of the period that starts then."""
    return f"{start:%Y-%m-%dT%H:%M:%S}"


def _pause(attempts: int, *, backoff: Backoff, jitter: float) -> timedelta:
    doubled: int = 2 ** min(attempts, 20)
    ceiling = min(backoff.cap, backoff.base * doubled)
    return max(_SHORTEST_PAUSE, ceiling * jitter)


def _ended(job: Expired, *, due_at: datetime, outcome: Outcome, message: str, losses: int | None = None) -> Recovery:
    counted = job.worker_losses if losses is None else losses
    if job.attempts >= job.max_attempts:
        return _dead(job, losses=counted, now=due_at, outcome=outcome, message=message)
    return Recovery(JobState.FAILED, job.attempts, counted, job.isolated, due_at, outcome, message)


def _dead(job: Expired, *, losses: int, now: datetime, outcome: Outcome, message: str) -> Recovery:
    return Recovery(JobState.DEAD, job.attempts, losses, job.isolated, now, outcome, message)


def _waiting(
    job: Expired, *, attempts: int, due_at: datetime, outcome: Outcome | None, message: str, alone: bool = False
) -> Recovery:
    state = JobState.FAILED if attempts else JobState.PENDING
    return Recovery(state, attempts, job.worker_losses, job.isolated or alone, due_at, outcome, message)
