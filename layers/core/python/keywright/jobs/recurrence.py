"""Recurring work: a job per period, keyed by it, so that a schedule may fire twice, late, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from keywright.jobs import kinds, rules, service
from keywright.jobs.kinds import Recurrence
from keywright.jobs.models import UnknownKind
from keywright.platform.db import Transaction


def enqueue_due(
    tx: Transaction, *, now: datetime, recurring: Mapping[str, Recurrence] = kinds.RECURRING, only: str | None = None
) -> None:
    """
    Enqueue the job of the present period of each recurring kind, and of as many missed ones as the kind makes good.

    What is there already is left alone.

    :raises UnknownKind: if ``only`` names a kind that does not recur
    """
    if only is not None and only not in recurring:
        raise UnknownKind(f"{only!r} does not recur: see RECURRING in keywright/jobs/kinds.py.")
    for kind, recurrence in recurring.items():
        if only in {None, kind}:
            for start in rules.periods(recurrence, now=now):
                service.enqueue(tx, kind, {}, key=rules.period_key(start), now=now)
