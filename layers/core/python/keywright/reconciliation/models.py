"""A run through everything of one kind, and the differences that it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Fields = Mapping[str, str | None]
"""An object as flat texts: ``status``, ``items.si_1.quantity``. Equal objects have equal fields."""


class Kind(StrEnum):
    """
    What is compared: Stripe's events with the inbox, its objects with the mirror, what was paid with licenses, what was
    stored with what was folded.
    """

    EVENT_GAP = "event-gap"
    OBJECT_SWEEP = "object-sweep"
    LICENSE_SWEEP = "license-sweep"
    STUCK_WORK = "stuck-work"

    @property
    def job(self) -> str:
        """Return the kind of the jobs that carry it out."""
        return f"reconciliation.{self}"


class RunState(StrEnum):
    """COMPLETE means that every page was looked at; anything less is not."""

    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Run:
    """
    One look at everything of a kind. ``page_cursor`` is where the next page begins, the ``step``-th one.

    ``covers_at`` is when the first page was asked for: what happened later is the next run's. ``confirms`` names the
    run whose repairs this one looks at again.
    """

    run_sid: str
    kind: Kind
    state: RunState
    confirms: str | None
    step: int
    page_cursor: str | None
    window_start: datetime | None
    covers_at: datetime
    drift_found: int
    touched_at: datetime


@dataclass(frozen=True)
class Page:
    """What one request to Stripe brought, when it was asked, and where the next page begins; None at the end."""

    subjects: Sequence[Mapping[str, Any]]
    asked_at: datetime
    next_cursor: str | None


@dataclass(frozen=True)
class Difference:
    """A field in which we differ; None is a value that is not there."""

    field: str
    ours: str | None
    theirs: str | None


@dataclass(frozen=True)
class Drift:
    """All differences of one object, and what they come from."""

    object_type: str
    object_id: str
    differences: Sequence[Difference]
    cause: str


@dataclass(frozen=True)
class Stored:
    """An event about an object as the inbox has it, and what became of it."""

    state: str
    reason: str | None
    waiting_for: str | None
    received_at: datetime


@dataclass(frozen=True)
class Counts:
    """What a page brought: objects looked at, events or observations that entered the inbox, differences."""

    examined: int = 0
    received: int = 0
    drift: int = 0


@dataclass(frozen=True)
class Progress:
    """How one kind stands. ``lag_s`` is since when nothing is known for sure; None if that was never so."""

    kind: Kind
    state: RunState | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_error: str | None
    checked_through: datetime | None
    page_cursor: str | None
    lag_s: int | None
    examined: int
    drift_found: int
    drift_healed: int


@dataclass(frozen=True)
class DriftFigures:
    """Drift in numbers: found in the last full minute, open now, and since when the oldest of that is."""

    found: int = 0
    open: int = 0
    age_s: int = 0


@dataclass(frozen=True)
class Figures:
    """Reconciliation in numbers, by kind; a kind that never succeeded has no lag."""

    lag_s: Mapping[Kind, int]
    failed: Mapping[Kind, bool]
    drift: Mapping[Kind, DriftFigures]


@dataclass(frozen=True)
class DriftRecord:
    """One field that differed, until when it did, and why."""

    kind: Kind
    object_type: str
    object_id: str
    field: str
    ours: str | None
    theirs: str | None
    cause: str
    found_at: datetime
    healed_at: datetime | None


@dataclass(frozen=True)
class Report:
    """What staff are shown: every kind, the latest drift, and how often doubt made us ask Stripe within a day."""

    progress: Sequence[Progress]
    drift: Sequence[DriftRecord]
    refetches_of_last_day: int
