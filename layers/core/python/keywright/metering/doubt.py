"""
Settles doubt: the sink's own sum of an hour says what of it has arrived; nobody guesses, and nothing is told blindly.

Doubtful is what was tried and is not known to have arrived, and what was refused after the sink had heard of it. A
refusal is a belief like a confirmation: Stripe processes meter events after it has taken them, and reports afterwards
what it could not count (docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api). What is billed is the
sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.metering import confirming, revision_repository, rules
from keywright.metering.drift import repository as drift_repository
from keywright.metering.drift import service as drift
from keywright.metering.models import Group, Revision, WindowState
from keywright.platform.db import Transaction


def settle(tx: Transaction, group: Group, counted: Mapping[datetime, Decimal], *, now: datetime) -> None:
    """Decide by the sink's sum which of the doubtful revisions arrived; what did not may be told again."""
    told = revision_repository.list_told(tx, group)
    if any(_was_heard(revision, within=rules.COUNTED_AFTER, now=now) for revision in told):
        return
    doubtful = [revision for revision in told if revision.state is WindowState.SEALED]
    others = [revision for revision in told if revision.state is not WindowState.SEALED]
    theirs = counted.get(group.hour, Decimal(0))
    arrived = rules.counted_among(theirs - _sum(others), doubtful)
    if arrived is None and any(_was_heard(revision, within=confirming.PATIENCE, now=now) for revision in others):
        return
    if arrived is None:
        arrived = _beside_unnamed(tx, others, doubtful, theirs=theirs, now=now)
    if arrived is None:
        drift.note(tx, group, ours=_sum(others), theirs=theirs, now=now)
        return
    revision_repository.mark_arrived(tx, sorted(arrived), now=now)
    lost = [revision for revision in doubtful if revision.identifier not in arrived]
    revision_repository.forget_attempts(tx, [revision.identifier for revision in lost if revision.pushed_at is None])
    for revision in lost:
        if revision.pushed_at is not None:
            _rename(tx, revision, now=now)


def _was_heard(revision: Revision, *, within: timedelta, now: datetime) -> bool:
    """Tell whether the sink has heard of it so lately that its sum may lack it."""
    if revision.state is WindowState.CONFIRMED:
        return False
    heard_at = revision.last_attempt_at if revision.state is WindowState.SEALED else revision.pushed_at
    return heard_at is not None and now - heard_at < within


def _beside_unnamed(
    tx: Transaction, others: Sequence[Revision], doubtful: Sequence[Revision], *, theirs: Decimal, now: datetime
) -> frozenset[str] | None:
    """Look for those, too, that a report has counted among its errors and not named."""
    open_ = [revision for revision in others if revision.state is WindowState.PUSHED]
    code = drift_repository.find_unnamed(tx, since=min((each.pushed_at or now for each in open_), default=now))
    if code is None or not open_:
        return None
    surplus = theirs - (_sum(others) - _sum(open_))
    counted = rules.counted_among(surplus, [*open_, *doubtful])
    if counted is None:
        return None
    for revision in open_:
        if revision.identifier not in counted:
            drift.reject(tx, identifier=revision.identifier, code=code, now=now)
    return counted & {revision.identifier for revision in doubtful}


def _rename(tx: Transaction, revision: Revision, *, now: datetime) -> None:
    """The id is spent: Stripe would call it known for a day or longer, and a late report of it must find nothing."""
    new = rules.renamed(revision.identifier)
    if revision_repository.rename(tx, identifier=revision.identifier, new_identifier=new):
        audit.record(
            tx,
            "USAGE_RENAMED",
            actor=actors.SYSTEM,
            subject=revision.license_sid,
            old={"identifier": revision.identifier},
            new={"identifier": new},
            now=now,
        )


def _sum(revisions: Sequence[Revision]) -> Decimal:
    return sum((revision.quantity for revision in revisions), Decimal(0))
