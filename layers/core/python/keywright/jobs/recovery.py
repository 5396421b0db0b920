"""What schedules do for jobs: find the abandoned, enqueue what recurs, forget what is old."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime

from keywright.jobs import kinds, repository, rules
from keywright.jobs.kinds import Backoff
from keywright.jobs.models import Expired, Failure, Outcome
from keywright.platform.db import Transaction


def recover(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Put jobs whose lease has run out back into the queue, or to rest; return how many. Two at once do no harm."""
    return _settle(tx, repository.lock_expired(tx, now=now, limit=limit), now=now)


def recover_these(tx: Transaction, *, job_sids: Sequence[str], now: datetime) -> int:
    """Do the same for those of the jobs whose lease has run out."""
    return _settle(tx, repository.lock_expired_of(tx, job_sids=job_sids, now=now), now=now)


def prune(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Delete a batch of history that has outlived its use; return how many rows, 0 when all is done."""
    before = now - rules.HISTORY
    dropped = repository.drop_old_attempts(tx, before=before, limit=limit)
    return dropped + repository.drop_old_jobs(tx, before=before, limit=limit)


def _settle(tx: Transaction, expired: Sequence[tuple[Expired, str]], *, now: datetime) -> int:
    for job, owner in expired:
        backoff = kinds.KINDS[job.kind].backoff if job.kind in kinds.KINDS else Backoff()
        decision = rules.after_expiry(job, now=now, jitter=random.random(), backoff=backoff)  # noqa: S311  (spreads)
        if decision.outcome is not None:
            error = "Timeout" if decision.outcome is Outcome.TIMED_OUT else "WorkerLost"
            repository.record_attempts(
                tx,
                [job.job_sid],
                worker=owner,
                outcome=decision.outcome,
                failure=Failure(error, decision.message),
                now=now,
            )
        repository.recover(tx, job.job_sid, decision, now=now)
    return len(expired)
