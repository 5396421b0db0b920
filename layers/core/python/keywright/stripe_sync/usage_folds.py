"""Folds thin events about meters: what they tell of is fetched by a job, and marks the usage that was not counted."""

from __future__ import annotations

from keywright.metering.drift import reports
from keywright.platform.db import Transaction
from keywright.stripe_sync.models import Desk, Ignored, Outcome, Processed, StripeEvent


def fold_report(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Have the report fetched that a thin event tells of."""
    if event.event_type not in reports.EVENT_TYPES:
        return Ignored(f"events about {event.event_type} change nothing here")
    reports.request(tx, event_id=event.event_id, now=desk.now)
    return Processed()
