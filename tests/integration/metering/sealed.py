"""Seals at a moment, and looks at what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from functions.job_worker import metering as jobs
from keywright.metering.models import Answer, Group, Revision
from keywright.platform import db
from keywright.platform.stripe_client import StripeUnavailable


def rows(query: str, **parameters: object) -> list[dict[str, Any]]:
    return db.transact(lambda tx: tx.all(query, **parameters))


def seal(now: datetime) -> list[dict[str, Any]]:
    """Seal what is due; return every revision there is, the oldest first."""
    effect = jobs.seal(now=now)
    db.transact(effect)
    return revisions()


def revisions() -> list[dict[str, Any]]:
    return rows("SELECT * FROM usage_revisions ORDER BY sealed_at, window_start, meter, revision")


@dataclass
class Sink:
    """A sink that counts what it is told, and whose answers can be lost."""

    looks_up: bool = True
    arrives: bool = True
    answers: bool = True
    told: list[Revision] = field(default_factory=list)
    sums: dict[datetime, Decimal] = field(default_factory=dict)

    def push(self, revision: Revision) -> Answer:
        """Count once per identifier, if it arrives at all."""
        known = {earlier.identifier for earlier in self.told}
        if self.arrives:
            self.told.append(revision)
            if revision.identifier not in known:
                hour = revision.counted_at.replace(minute=0, second=0, microsecond=0)
                self.sums[hour] = self.sums.get(hour, Decimal(0)) + revision.quantity
        if not self.answers:
            raise StripeUnavailable("Stripe does not answer. Try again.")
        return Answer(revision.identifier, taken=True)

    def counted(self, group: Group, *, hours: int = 1) -> Mapping[datetime, Decimal]:
        """Say what was counted."""
        del group, hours
        return self.sums
