"""
Tells the sink of meters what is sealed, each revision under its own identifier, so that telling again is harmless.

That a revision is about to be told is committed first; what became of it afterwards. Whoever dies in between leaves a
revision whose end is not known, and the rules say when it may be told again and when the sink is to be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from keywright.metering import repository, revision_repository, rules
from keywright.metering.drift import service as drift
from keywright.metering.models import Answer, Group, Period, Plan, Revision
from keywright.platform.db import Transaction

_FOREVER = timedelta(days=36_500)
_LOOKED_THROUGH = 2000


def take(tx: Transaction, *, looks_up: bool, since: datetime, now: datetime, limit: int) -> list[Revision]:
    """Return what is to be told now, and note that it is about to be; what was tried since then is left alone."""
    plans = _plans(tx, looks_up=looks_up, tried_before=since, now=now)
    for revision in (found for found, plan in plans if plan is Plan.MOVE):
        _move(tx, revision, now=now)
    taken = [revision for revision, plan in plans if plan is Plan.SEND and revision.stripe_customer_id][:limit]
    revision_repository.note_attempts(tx, [revision.identifier for revision in taken], now=now)
    return taken


def record(tx: Transaction, answers: Sequence[Answer], *, now: datetime) -> None:
    """Write what the sink said."""
    revision_repository.mark_pushed(tx, [answer.identifier for answer in answers if answer.taken], now=now)
    for answer in answers:
        if not answer.taken:
            drift.reject(tx, identifier=answer.identifier, code=answer.code or "refused", now=now)


def list_doubtful(tx: Transaction, *, now: datetime) -> list[Group]:
    """Return the sums that the sink must be asked for before anything in them is told again; ``doubt`` settles it."""
    plans = _plans(tx, looks_up=True, tried_before=now, now=now)
    groups = {
        Group(revision.stripe_customer_id, revision.meter, _hour(revision.counted_at))
        for revision, plan in plans
        if plan is Plan.LOOK and revision.stripe_customer_id
    }
    return sorted(groups, key=lambda group: (group.hour, group.stripe_customer_id, group.meter))


def _plans(tx: Transaction, *, looks_up: bool, tried_before: datetime, now: datetime) -> list[tuple[Revision, Plan]]:
    found = revision_repository.list_sealed(tx, tried_before=tried_before, limit=_LOOKED_THROUGH)
    periods: dict[tuple[str, datetime], Period] = {}
    plans = []
    for revision in found:
        place = revision.license_sid, _hour(revision.counted_at)
        if place not in periods:
            periods[place] = _counted_in(tx, revision)
        plans.append((revision, rules.plan(revision, period=periods[place], looks_up=looks_up, now=now)))
    return plans


def _counted_in(tx: Transaction, revision: Revision) -> Period:
    """Return the period on whose bill a revision would be; one that is not known has no end yet."""
    moment = revision.counted_at
    found = revision_repository.find_period_of(tx, license_sid=revision.license_sid, moment=moment)
    if found is None and revision.period_start <= moment < revision.period_end:
        return Period(revision.period_start, revision.period_end)
    return found or Period(moment, moment + _FOREVER)


def _move(tx: Transaction, revision: Revision, *, now: datetime) -> None:
    """The bill was made before the sink could be told: the policy for late usage decides."""
    profile = repository.find_profile(tx, license_sid=revision.license_sid)
    assert profile is not None
    billing = rules.bill_late(profile, moment=revision.window_start, now=now)
    revision_repository.move(tx, billing, identifier=revision.identifier, now=now)
    drift.follow_move(tx, revision, billing, now=now)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
