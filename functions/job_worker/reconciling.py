"""
Carries out the jobs of reconciliation: a page is listed outside any transaction, and its findings are written in one.

That transaction is the page's own and not the one that completes the job: if it fails, the run is FAILED at once. A
job that comes again after its page was written finds the run a step further, and has nothing left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from functions.job_worker.settings import Settings
from keywright.platform import clock, config, db
from keywright.platform.db import Transaction
from keywright.platform.errors import KeywrightError
from keywright.reconciliation import event_gap, gateway, license_sweep, object_sweep, rules, service, stuck_work
from keywright.reconciliation.models import Kind, Page, Run
from keywright.stripe_sync import gateway as stripe_gateway
from keywright.stripe_sync.models import Bench

Effect = Callable[[Transaction], None]
Look = Callable[[Run], Effect]


def _look_for_events(run: Run) -> Effect:
    page = gateway.list_events(since=run.window_start, after=run.page_cursor, asked_at=clock.now())
    return lambda tx: event_gap.apply(tx, run, page, now=clock.now())


def _look_at_objects(run: Run) -> Effect:
    since, family = run.covers_at - rules.RECENT, config.load(Settings).product_family
    page: Page = gateway.list_objects(run.page_cursor, since=since, asked_at=clock.now())
    return lambda tx: object_sweep.apply(tx, run, page, product_family=family, now=clock.now())


def _look_at_licenses(run: Run) -> Effect:
    settings = config.load(Settings)
    desk = Bench(
        product_family=settings.product_family,
        policy=settings.dunning_policy,
        now=clock.now(),
        account_id=stripe_gateway.account_id(),
        livemode=stripe_gateway.livemode(),
    )
    return lambda tx: license_sweep.apply(tx, run, desk)


def _look_at_stuck_events(run: Run) -> Effect:
    return lambda tx: stuck_work.apply(tx, run, now=clock.now())


def _execute(kind: Kind, look: Look, payload: Mapping[str, str]) -> Effect | None:
    """Begin a run, or look at a page of it; one that cannot be had or written fails the run before the job's retry."""
    if "run_sid" not in payload:
        confirms = payload.get("confirms")
        return lambda tx: _begin(tx, kind, confirms)
    run_sid, step = payload["run_sid"], int(payload["step"])
    run = db.transact(lambda tx: service.take(tx, run_sid=run_sid, step=step, now=clock.now()))
    if run is None:
        return None
    try:
        db.transact(look(run))
    except Exception as problem:
        # Whatever went wrong: a run that lacks a page must not look as if it were on its way.
        error = _told(problem)
        db.transact(lambda tx: service.record_failure(tx, run, error=error, now=clock.now()))
        raise
    return None


def _told(problem: Exception) -> str:
    """Return the error's stable code and what it says."""
    if isinstance(problem, KeywrightError):
        return f"{problem.code}: {problem.detail}"
    return f"internal-error: {type(problem).__name__}: {problem}"


def _begin(tx: Transaction, kind: Kind, confirms: str | None) -> None:
    service.begin(tx, kind, confirms=confirms, now=clock.now())


_LOOKS: Mapping[Kind, Look] = {
    Kind.EVENT_GAP: _look_for_events,
    Kind.OBJECT_SWEEP: _look_at_objects,
    Kind.LICENSE_SWEEP: _look_at_licenses,
    Kind.STUCK_WORK: _look_at_stuck_events,
}

JOBS: Mapping[str, Callable[[dict[str, str]], Effect | None]] = {
    kind.job: partial(_execute, kind, look) for kind, look in _LOOKS.items()
}
