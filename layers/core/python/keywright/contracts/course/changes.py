"""What happens to a contract subscription, what that bills, and where it leads: values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from keywright.contracts.course.terms import Terms


class SubscriptionState(StrEnum):
    """Where a contract subscription stands. CANCELED and EXPIRED are ends."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


class PausePolicy(StrEnum):
    """SHIFT: the paid time goes on after the pause. KEEP: the cycle stays, and time in a pause is not billed anew."""

    SHIFT = "SHIFT"
    KEEP = "KEEP"


class ChangeKind(StrEnum):
    """What can happen to a subscription."""

    STARTED = "STARTED"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"
    PLAN_CHANGED = "PLAN_CHANGED"
    PLAN_CHANGE_PLANNED = "PLAN_CHANGE_PLANNED"
    CANCELED = "CANCELED"
    CANCEL_PLANNED = "CANCEL_PLANNED"
    PLANS_WITHDRAWN = "PLANS_WITHDRAWN"
    END_MOVED = "END_MOVED"


@dataclass(frozen=True)
class Change:
    """An entry of the log. ``by_contract`` says that the contract took the subscription along."""

    change_no: int
    kind: ChangeKind
    happened_at: datetime
    terms: Terms | None = None
    ends_on: date | None = None
    by_contract: bool = False
    credits_unused: bool = False


@dataclass(frozen=True)
class Slice:
    """
    A part of a bill: ``share`` of what a cycle of the terms costs, for some days; negative where that is given back.

    ``used`` is set for metered terms: what was used between two moments is billed, and the share is 1.
    """

    terms: Terms
    start: date
    end: date
    share: Fraction
    used: tuple[datetime, datetime] | None = None


@dataclass(frozen=True)
class Bill:
    """Something to be billed, known by its key. ``corrects`` is the key of the bill that a surplus is given back on."""

    billing_key: str
    due_at: datetime
    start: date
    end: date
    slices: tuple[Slice, ...]
    corrects: str | None = None

    @property
    def is_metered(self) -> bool:
        """Tell whether usage has to be known before the bill can be."""
        return any(part.used is not None for part in self.slices)


@dataclass(frozen=True)
class Course:
    """Where a subscription stands at a moment, the bills up to it, and when time alone changes something next."""

    state: SubscriptionState
    paused_by_contract: bool
    terms: Terms
    planned: Terms | None
    start: date
    end: date
    serves_from: datetime
    cancels_at_end: bool
    ended_at: datetime | None
    bills: tuple[Bill, ...]
    next_at: datetime | None
