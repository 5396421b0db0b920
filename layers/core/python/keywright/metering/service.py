"""
The ledger of usage: events come in, each once for ever, and any period can be added up as it was known at any time.

Nothing here calls anybody: who bills usage is told by jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from keywright.licensing.holders import Holder
from keywright.licensing.models import LicenseState
from keywright.metering import buffering, intake, limits, repository, rules
from keywright.metering.models import (
    Aggregation,
    EventOutcome,
    Meter,
    Period,
    Profile,
    UsageEvent,
    UsageLicenseNotFound,
)
from keywright.platform.db import Transaction

NOT_USAGE_BASED = "license-not-usage-based"
RESTRICTED = "license-restricted"
ENDED = "license-ended"

Result = tuple[str | None, EventOutcome, str | None]
"""The sender's id, what became of the event, and the code if it was rejected."""


def ingest(tx: Transaction, holder: Holder, items: Sequence[Any], *, now: datetime) -> list[Result]:
    """
    Store a batch of events: each is accepted once, and told from then on to be a duplicate.

    Whatever else happens to the batch, an event that can be stored is. A batch may be sent again at any time.
    """
    profile = repository.find_profile(tx, license_sid=holder.license_sid)
    if profile is None:
        raise UsageLicenseNotFound("There is no license with this id.")
    meters = rules.meters(profile.metadata, limits=holder.limits)
    if (code := _refuse(holder, meters)) is not None:
        return [(intake.sent_id(item), EventOutcome.REJECTED, code) for item in items]
    reader = intake.Reader(meters, now=now)
    read = [_within(reader.read(item), profile) for item in items]
    new = intake.first_of_each([event for event in read if not isinstance(event, str)])
    known, refused = _store(tx, holder, profile, meters, new, now=now)
    return [
        (intake.sent_id(item), EventOutcome.REJECTED, event)
        if isinstance(event, str)
        else (intake.sent_id(item), *_outcome(event, new, known, refused))
        for item, event in zip(items, read, strict=True)
    ]


def quantity(
    tx: Transaction, *, license_sid: str, meter: str, start: datetime, end: datetime, stored_before: datetime
) -> Decimal:
    """
    Return exactly what was used in ``start <= event time < end``, as far as it was stored before the cut.

    The same arguments give the same answer for ever: whatever is stored once this transaction has committed is stored
    at the cut or later, so ``stored_before`` must not lie in the future.
    """
    if not repository.raise_cut(tx, license_sid=license_sid, stored_before=stored_before):
        return Decimal(0)
    span: dict[str, Any] = {"license_sid": license_sid, "meter": meter, "start": start, "end": end}
    aggregation = repository.find_aggregation(tx, **span)
    if aggregation is None:
        return Decimal(0)
    return repository.add_up(tx, Aggregation(aggregation), **span, stored_before=stored_before)


def estimate(
    tx: Transaction, *, license_sid: str, meter: str, start: datetime, end: datetime, now: datetime
) -> Decimal:
    """Return what is known by now of the usage in ``start <= event time < end``. More may come; nothing is written."""
    aggregation = repository.find_aggregation(tx, license_sid=license_sid, meter=meter, start=start, end=end)
    if aggregation is None:
        return Decimal(0)
    return repository.add_up(
        tx, Aggregation(aggregation), license_sid=license_sid, meter=meter, start=start, end=end, stored_before=now
    )


def _refuse(holder: Holder, meters: dict[str, Meter]) -> str | None:
    """Return why no event of this license is taken."""
    if not holder.usage_based or not meters:
        return NOT_USAGE_BASED
    return RESTRICTED if holder.state is LicenseState.RESTRICTED else None


def _within(event: UsageEvent | str, profile: Profile) -> UsageEvent | str:
    """Refuse what was used after the subscription had ended; what was used before may come later."""
    if isinstance(event, str) or profile.ended_at is None or event.occurred_at < profile.ended_at:
        return event
    return ENDED


def _store(
    tx: Transaction,
    holder: Holder,
    profile: Profile,
    meters: dict[str, Meter],
    wanted: dict[str, UsageEvent],
    *,
    now: datetime,
) -> tuple[dict[str, UsageEvent], dict[str, str]]:
    """Insert what is new; return what was there before, and what a hard limit refused."""
    if not wanted:
        return {}, {}
    license_sid, customer_sid = holder.license_sid, holder.customer_sid
    cut_at = repository.lock_account(tx, license_sid=license_sid, customer_sid=customer_sid, now=now)
    stored_at = max(now, cut_at)
    known: dict[str, UsageEvent] = {}
    refused: dict[str, str] = {}
    if any(meter.is_hard for meter in meters.values()):
        known = repository.list_events(tx, license_sid=license_sid, event_ids=list(wanted))
        new = [event for key, event in wanted.items() if key not in known]
        refused = limits.refuse(tx, new, meters, license_sid=license_sid, period=profile.period, now=now)
    new = [event for key, event in wanted.items() if key not in known and key not in refused]
    if not repository.add_events(tx, new, license_sid=license_sid, stored_at=stored_at):
        # Writers take turns, so what is not there now cannot come before our commit.
        known = repository.list_events(tx, license_sid=license_sid, event_ids=list(wanted))
        new = [event for event in new if event.event_id not in known]
        if not repository.add_events(tx, new, license_sid=license_sid, stored_at=stored_at):
            raise AssertionError("A usage event was stored without its license's turn being taken.")
    _gather(tx, new, meters, profile, license_sid=license_sid, stored_at=stored_at, now=now)
    return known, refused


def keep(
    tx: Transaction,
    events: Sequence[UsageEvent],
    meters: dict[str, Meter],
    profile: Profile,
    *,
    license_sid: str,
    stored_at: datetime,
    now: datetime,
) -> None:
    """Store events that are known to be new; the caller has the license's turn."""
    if not repository.add_events(tx, events, license_sid=license_sid, stored_at=stored_at):
        raise AssertionError("An import was stored twice.")
    _gather(tx, events, meters, profile, license_sid=license_sid, stored_at=stored_at, now=now)


def _gather(
    tx: Transaction,
    new: Sequence[UsageEvent],
    meters: dict[str, Meter],
    profile: Profile,
    *,
    license_sid: str,
    stored_at: datetime,
    now: datetime,
) -> None:
    """Add stored events to their windows, and tell of the limits that they reach."""
    if new:
        buffering.add(tx, new, meters, license_sid=license_sid, profile=profile, stored_at=stored_at, now=now)
        limits.watch(tx, new, meters, license_sid=license_sid, period=profile.period, now=now)


def _outcome(
    event: UsageEvent, first: dict[str, UsageEvent], known: dict[str, UsageEvent], refused: dict[str, str]
) -> tuple[EventOutcome, str | None]:
    key = event.event_id
    if key in refused:
        return EventOutcome.REJECTED, refused[key]
    if key in known:
        return (EventOutcome.DUPLICATE if known[key].body == event.body else EventOutcome.CONFLICT), None
    if first[key] is event:
        return EventOutcome.ACCEPTED, None
    return (EventOutcome.DUPLICATE if first[key].body == event.body else EventOutcome.CONFLICT), None


def periods_of(tx: Transaction, *, license_sid: str) -> Iterable[Period]:
    """Return the billing periods that the license's usage has fallen into, the newest first."""
    return repository.list_periods(tx, license_sid=license_sid)
