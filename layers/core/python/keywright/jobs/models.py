"""What a job is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.errors import Conflict


class JobState(StrEnum):
    """FAILED will be tried again; DEAD will not, unless somebody asks for it."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    DEAD = "DEAD"


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


@dataclass(frozen=True)
class RetryAt:
    """Try the job again then."""

    due_at: datetime


@dataclass(frozen=True)
class Dead:
    """Do not try the job again."""


class LeaseLost(Conflict):
    """Somebody else holds the job now; what this owner did must roll back."""

    code = "job-lease-lost"
    title = "The job's lease is lost"
