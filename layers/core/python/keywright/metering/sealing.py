"""
Seals windows: what has come into one since its last seal becomes a revision, which is told to whoever bills it.

A license is sealed in one transaction, under its turn, so that every event is in exactly one revision.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from keywright.jobs import service as jobs
from keywright.jobs.models import KeyScope
from keywright.licensing.models import SourceKind
from keywright.metering import buffering, repository, revision_repository, rules
from keywright.metering.models import Aggregation, DueWindow, Period, Profile, Route, WindowState
from keywright.platform.clock import to_unix
from keywright.platform.db import Row, Transaction

_BATCH = 500
_TICK = timedelta(microseconds=1)
_ADDITIVE = frozenset({Aggregation.SUM, Aggregation.COUNT})


def list_due(tx: Transaction, *, now: datetime) -> list[str]:
    """Return licenses that have something to seal."""
    return revision_repository.list_due_licenses(tx, now=now, limit=_BATCH)


def list_closing(tx: Transaction, *, now: datetime) -> list[tuple[str, Period]]:
    """Return licenses with a period whose bill is about to be made."""
    return revision_repository.list_closing(tx, ended_before=now - rules.CLOSE_AFTER, limit=_BATCH)


def list_shortened(tx: Transaction) -> list[str]:
    """Return licenses whose subscription has ended within a period that usage is still gathered for."""
    return revision_repository.list_shortened(tx, limit=_BATCH)


def shorten(tx: Transaction, *, license_sid: str, now: datetime) -> None:
    """Have the running period of a license end where its subscription did."""
    _take_turn(tx, license_sid=license_sid, now=now)
    profile = repository.find_profile(tx, license_sid=license_sid)
    if profile is not None:
        buffering.boundaries_of(tx, license_sid=license_sid, period=profile.period, now=now)


def close(tx: Transaction, *, license_sid: str, period: Period, now: datetime) -> None:
    """Seal all that is known of a period, and note the cut: what comes later is late."""
    account = _take_turn(tx, license_sid=license_sid, now=now)
    revision_repository.hurry_period(tx, license_sid=license_sid, period=period, now=now)
    cut = max(now, account["cut_at"])
    while windows := revision_repository.list_due_windows(tx, license_sid=license_sid, now=now, limit=_BATCH):
        cut = _seal(tx, windows, account, license_sid=license_sid, now=now)
    revision_repository.close_period(tx, license_sid=license_sid, period=period, billed_at=cut)


def seal(tx: Transaction, *, license_sid: str, now: datetime) -> int:
    """Seal the due windows of a license; return how many."""
    account = _take_turn(tx, license_sid=license_sid, now=now)
    windows = revision_repository.list_due_windows(tx, license_sid=license_sid, now=now, limit=_BATCH)
    if windows:
        _seal(tx, windows, account, license_sid=license_sid, now=now)
    return len(windows)


def _take_turn(tx: Transaction, *, license_sid: str, now: datetime) -> Row:
    account = revision_repository.find_account(tx, license_sid=license_sid)
    assert account is not None
    customer_sid = account["customer_sid"]
    cut_at = repository.lock_account(tx, license_sid=license_sid, customer_sid=customer_sid, now=now)
    return {**account, "cut_at": cut_at}


def _seal(tx: Transaction, windows: list[DueWindow], account: Row, *, license_sid: str, now: datetime) -> datetime:
    """Make a revision of each window; return the cut behind which nothing of them is stored."""
    profile = repository.find_profile(tx, license_sid=license_sid)
    assert profile is not None
    buffering.boundaries_of(tx, license_sid=license_sid, period=profile.period, now=now)
    periods = repository.list_periods(tx, license_sid=license_sid)
    # A writer's clock may run ahead of ours.
    cut: datetime = max(now, account["cut_at"], *(window.stored_until + _TICK for window in windows))
    repository.raise_cut(tx, license_sid=license_sid, stored_before=cut)
    invoiced = False
    for window in windows:
        period = rules.period_of(window.window_start, periods)
        route = _add(tx, window, account, profile, license_sid=license_sid, period=period, cut=cut, now=now)
        invoiced = invoiced or route is Route.INVOICE
    if invoiced:
        key = f"{license_sid}:{to_unix(now)}"
        jobs.enqueue(tx, "metering.invoice", {"license_sid": license_sid}, key=key, now=now)
    return cut


def _add(
    tx: Transaction,
    window: DueWindow,
    account: Row,
    profile: Profile,
    *,
    license_sid: str,
    period: Period,
    cut: datetime,
    now: datetime,
) -> Route | None:
    """Write what is new in a window; return who is to be told of it, if anybody is."""
    quantity = _moved(tx, window, license_sid=license_sid, period=period, cut=cut)
    billing = rules.bill(
        quantity,
        source_kind=SourceKind(account["source_kind"]),
        window_start=window.window_start,
        period=period,
        profile=profile,
        now=now,
    )
    named = rules.identifier(
        license_sid=license_sid, meter=window.meter, window_start=window.window_start, revision=window.revision + 1
    )
    revision_repository.add_revision(
        tx,
        window,
        billing,
        license_sid=license_sid,
        customer_sid=account["customer_sid"],
        stripe_customer_id=profile.stripe_customer_id,
        identifier=named,
        period=period,
        quantity=quantity,
        stored_before=cut,
        now=now,
    )
    revision_repository.mark_sealed(tx, window, license_sid=license_sid)
    return billing.route if billing.state is WindowState.SEALED else None


def _moved(tx: Transaction, window: DueWindow, *, license_sid: str, period: Period, cut: datetime) -> Decimal:
    """Return by how much a window moves the period's quantity, beyond what revisions have said before."""
    place = {"license_sid": license_sid, "meter": window.meter}
    if window.aggregation in _ADDITIVE:
        return window.sum_quantity - revision_repository.sealed_in_window(tx, **place, window_start=window.window_start)
    # A maximum or a count of different things is the period's, not the hour's: what counts is how far it rose.
    whole = repository.add_up(tx, window.aggregation, **place, start=period.start, end=period.end, stored_before=cut)
    return whole - revision_repository.sealed_in_period(tx, **place, period_start=period.start)


def request_push(tx: Transaction, *, now: datetime) -> None:
    """Have what is sealed told; one job at a time does that."""
    jobs.enqueue(tx, "metering.push", {}, key="all", now=now, scope=KeyScope.ACTIVE)
