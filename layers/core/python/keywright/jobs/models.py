"""What a job is, what can become of it, and what may be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from keywright.platform.errors import Conflict, NotFound


class JobState(StrEnum):
    """FAILED will be tried again; DEAD will not, unless somebody asks for it."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    DEAD = "DEAD"


class KeyScope(StrEnum):
    """How long a job's key keeps a second job away: until the job has ended, or for ever."""

    ACTIVE = "ACTIVE"
    FOREVER = "FOREVER"


class Priority(IntEnum):
    """A head start in minutes: who has waited longer than the difference goes first all the same."""

    BULK = 0
    NORMAL = 5
    URGENT = 30


class Outcome(StrEnum):
    """What an attempt came to. LOST: nothing more was heard of the worker."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    LOST = "LOST"


@dataclass(frozen=True)
class Job:
    """A job under lease. ``lease_token`` is the fence: it rises with every claim, and only its holder may finish."""

    job_sid: str
    kind: str
    payload: Mapping[str, str]
    attempts: int
    max_attempts: int
    lease_token: int
    correlation_id: str | None
    timeout_s: int = 60
    isolated: bool = False
    owner: str = ""
    begun: bool = True


@dataclass(frozen=True)
class RetryAt:
    """Try the job again then."""

    due_at: datetime


@dataclass(frozen=True)
class Dead:
    """Do not try the job again."""


@dataclass(frozen=True)
class Skipped:
    """What an executor returns when there was nothing to do; the job completes and keeps the reason."""

    reason: str


@dataclass(frozen=True)
class Failure:
    """Why an attempt failed: the error's class, what it said, and whether another attempt could help."""

    error_class: str
    message: str
    permanent: bool = False


@dataclass(frozen=True)
class Expired:
    """A job whose lease has run out, as the table holds it. ``begun`` is False if it was claimed and never begun."""

    job_sid: str
    kind: str
    attempts: int
    max_attempts: int
    worker_losses: int
    claimed_with: int
    isolated: bool
    begun: bool
    deadline_at: datetime | None


@dataclass(frozen=True)
class Recovery:
    """What becomes of an expired job. Without an outcome no attempt was made, and none is recorded."""

    state: JobState
    attempts: int
    worker_losses: int
    isolated: bool
    due_at: datetime
    outcome: Outcome | None
    message: str


@dataclass(frozen=True)
class JobRecord:
    """A job as staff sees it."""

    job_sid: str
    job_key: str
    key_scope: KeyScope
    kind: str
    payload: Mapping[str, str]
    state: JobState
    priority: int
    attempts: int
    max_attempts: int
    worker_losses: int
    due_at: datetime
    lease_owner: str | None
    lease_expires_at: datetime | None
    started_at: datetime | None
    last_error: str | None
    correlation_id: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Attempt:
    """One attempt that has ended."""

    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime
    outcome: Outcome
    error_class: str | None
    message: str | None


@dataclass(frozen=True)
class Selection:
    """Which jobs to list; None leaves a question open."""

    kind: str | None = None
    state: JobState | None = None
    created_before: datetime | None = None


@dataclass(frozen=True)
class Figures:
    """The queue in numbers, by kind: how long the oldest due job waits, how many died of late, how attempts ended."""

    wait_s: Mapping[str, float]
    dead: Mapping[str, int]
    ended: Mapping[tuple[str, Outcome], int]


class LeaseLost(Conflict):
    """Somebody else holds the job now; what this owner did must roll back."""

    code = "job-lease-lost"
    title = "The job's lease is lost"


class JobNotFound(NotFound):
    """There is no such job."""

    code = "job-not-found"
    title = "The job was not found"


class JobNotRetryable(Conflict):
    """The job is not DEAD or FAILED, or another job has taken over its key."""

    code = "job-not-retryable"
    title = "The job cannot be retried"


class PayloadInvalid(ValueError):
    """A payload lacks a field of its kind's model, or has one too many: no further attempt can mend that."""


class UnknownKind(LookupError):
    """No kind of this name is registered; newer code may know it."""
