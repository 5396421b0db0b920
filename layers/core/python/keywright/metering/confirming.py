"""
Compares what was told with what the sink has counted, hour by hour. Only equal sums confirm.

The sink adds up per customer: if one of its licenses is counted wrongly, the hour's others wait with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from keywright.metering import revision_repository, rules
from keywright.metering.drift import repository as drift_repository
from keywright.metering.drift import service as drift
from keywright.metering.models import Group, Revision, WindowState
from keywright.platform.db import Transaction

PATIENCE = timedelta(hours=1)
"""How long sums may differ before that is a difference: the sink counts in its own time."""

_MOST_HOURS = 24 * 40


@dataclass(frozen=True)
class Look:
    """A customer's usage of a meter to be compared: whole hours from the first one on."""

    first: Group
    hours: int


def list_due(tx: Transaction, *, now: datetime, limit: int) -> list[Look]:
    """Return what was told long enough ago to be compared, and was not yet found equal."""
    rows = revision_repository.list_unconfirmed(tx, pushed_before=now - rules.COUNTED_AFTER, limit=limit)
    return [_look(row["stripe_customer_id"], row["meter"], row["first_at"], row["last_at"]) for row in rows]


def compare(tx: Transaction, look: Look, counted: Mapping[datetime, Decimal], *, now: datetime) -> None:
    """Confirm the hours whose sums are equal, and note the difference of those that have had time enough."""
    told: dict[datetime, list[Revision]] = {}
    for revision in revision_repository.list_told(tx, look.first, hours=look.hours):
        told.setdefault(revision.counted_at.replace(minute=0, second=0, microsecond=0), []).append(revision)
    equal = []
    for hour, revisions in told.items():
        if any(revision.state is WindowState.SEALED for revision in revisions):
            continue
        theirs = counted.get(hour, Decimal(0))
        if sum((revision.quantity for revision in revisions), Decimal(0)) == theirs:
            equal.append(hour)
            _confirm(tx, revisions, now=now)
        else:
            _differ(tx, Group(look.first.stripe_customer_id, look.first.meter, hour), revisions, theirs, now=now)
    place = {"stripe_customer_id": look.first.stripe_customer_id, "meter": look.first.meter}
    drift_repository.heal(tx, **place, hours=equal, now=now)


def _look(stripe_customer_id: str, meter: str, first_at: datetime, last_at: datetime) -> Look:
    hour = first_at.replace(minute=0, second=0, microsecond=0)
    hours = (last_at - hour) // rules.HOUR + 1
    return Look(Group(stripe_customer_id, meter, hour), min(hours, _MOST_HOURS))


def _confirm(tx: Transaction, revisions: list[Revision], *, now: datetime) -> None:
    pushed = [revision.identifier for revision in revisions if revision.state is WindowState.PUSHED]
    revision_repository.mark_confirmed(tx, pushed, now=now)


def _differ(tx: Transaction, group: Group, revisions: list[Revision], theirs: Decimal, *, now: datetime) -> None:
    """Find which revisions are missing, if a report has told of errors that it did not name."""
    open_ = [revision for revision in revisions if revision.state is WindowState.PUSHED]
    since = min((revision.pushed_at for revision in open_ if revision.pushed_at), default=now)
    if now - since < PATIENCE:
        return
    ours = sum((revision.quantity for revision in revisions), Decimal(0))
    code = drift_repository.find_unnamed(tx, since=since)
    if code is not None and open_:
        certain = ours - sum((revision.quantity for revision in open_), Decimal(0))
        counted = rules.counted_among(theirs - certain, open_)
        if counted is not None:
            for revision in open_:
                if revision.identifier not in counted:
                    drift.reject(tx, identifier=revision.identifier, code=code, now=now)
            return
    drift.note(tx, group, ours=ours, theirs=theirs, now=now)
