"""What every use case of contracts works with: when it is, who acts, and who tells of usage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from keywright.audit.models import SYSTEM, Actor
from keywright.contracts.course.changes import Bill, Course, Slice
from keywright.contracts.course.charges import Charge, charge
from keywright.contracts.course.walk import follow
from keywright.contracts.subscriptions import usage
from keywright.contracts.subscriptions.models import Subscription
from keywright.platform.db import Transaction


def _read_usage(tx: Transaction, subscription: Subscription, part: Slice, now: datetime) -> int:
    return usage.quantity(tx, subscription, part, now=now)


def _estimate_usage(tx: Transaction, subscription: Subscription, part: Slice, now: datetime) -> int:
    return usage.estimate(tx, subscription, part, now=now)


@dataclass(frozen=True)
class Desk:
    """
    ``follow`` walks a course and ``usage`` counts what was used: both are values, so that a test can show what becomes
    of the books when one of them is wrong.
    """

    now: datetime
    actor: Actor = SYSTEM
    usage: Callable[[Transaction, Subscription, Slice, datetime], int] = _read_usage
    follow: Callable[..., Course] = follow

    def looking(self) -> Desk:
        """Return the desk at which nothing is written: usage is estimated by what is known."""
        return replace(self, usage=_estimate_usage) if self.usage is _read_usage else self

    def charge(self, tx: Transaction, subscription: Subscription, bill: Bill) -> Charge:
        """Return what a bill comes to."""
        return charge(bill, usage=lambda part: self.usage(tx, subscription, part, self.now), cut=self.now)
