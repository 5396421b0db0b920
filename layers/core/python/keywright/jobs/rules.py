"""Pure decisions about jobs."""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.jobs.models import Dead, Job, RetryAt

LEASE = timedelta(seconds=90)
"""Longer than the job worker may run, so that a living owner never loses its lease."""

MAX_ATTEMPTS = 12

_BASE = timedelta(seconds=2)
_CAP = timedelta(hours=1)


def after_failure(job: Job, *, now: datetime, jitter: float) -> RetryAt | Dead:
    """
    Decide what follows a failed attempt: exponential backoff with full jitter, then death.

    ``jitter`` is drawn from [0, 1): full jitter spreads the retries of jobs that failed together
    (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
    """
    if job.attempts >= job.max_attempts:
        return Dead()
    ceiling = min(_CAP, _BASE * 2 ** min(job.attempts, 20))
    return RetryAt(now + max(timedelta(seconds=1), ceiling * jitter))
