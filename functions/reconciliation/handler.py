"""How we stand with Stripe, and another look at it; its events are in ``events``. For staff."""

from __future__ import annotations

from functions.reconciliation import events
from functions.reconciliation.application import app
from keywright.audit import models as actors
from keywright.identity import gateway as identity_gateway
from keywright.identity import service as identity
from keywright.identity.repetition import Repetition
from keywright.platform import clock, db, http
from keywright.platform.db import Transaction
from keywright.reconciliation import service
from keywright.reconciliation.models import DriftRecord, Kind, Progress, Report, Run, RunState

ROUTES = (events,)
"""Importing it has added its routes to the application."""


class ReconciliationRequest(http.Body):
    """Which look to begin; one that is under way is not begun twice."""

    kind: Kind


class RunAnswer(http.Body):
    """A run that was begun, or was under way. Only COMPLETE means that everything was looked at."""

    run_sid: str
    kind: Kind
    state: RunState


class ProgressAnswer(http.Body):
    """
    How one kind stands.

    ``state`` is that of the latest run, ``checked_through`` up to when everything is accounted for, and ``lag_s`` how
    long ago that is. ``cursor`` is where the latest run goes on.
    """

    kind: Kind
    state: RunState | None
    last_success_at: str | None
    last_failure_at: str | None
    last_error: str | None
    checked_through: str | None
    lag_s: int | None
    cursor: str | None
    examined: int
    drift_found: int
    drift_healed: int


class DriftAnswer(http.Body):
    """A field in which we differed from Stripe, or from what was paid. It is healed once a later look finds it gone."""

    kind: Kind
    object_type: str
    object_id: str
    field: str
    ours: str | None
    theirs: str | None
    cause: str
    found_at: str
    healed_at: str | None


class ReportAnswer(http.Body):
    """Every kind, the latest drift, and how often the fold was in doubt and asked Stripe within a day."""

    items: list[ProgressAnswer]
    drift: list[DriftAnswer]
    refetches_of_last_day: int


@app.get("/v1/reconciliation", summary="Show how we stand with Stripe", tags=["operations"])
def get_reconciliation() -> ReportAnswer:
    """Return, for staff, the last success and failure, the lag and the drift of every kind."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Report:
        identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return service.report(tx, now=now)

    report = db.transact(work)
    return ReportAnswer(
        items=[_progress(progress) for progress in report.progress],
        drift=[_drift(drift) for drift in report.drift],
        refetches_of_last_day=report.refetches_of_last_day,
    )


@app.post("/v1/reconciliation", summary="Begin a look at where we and Stripe differ", tags=["operations"])
def begin_reconciliation(request: ReconciliationRequest) -> RunAnswer:
    """Begin, for staff, what the schedule begins by itself; what differs is mended."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> Run:
        caller = identity.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return service.begin(tx, request.kind, actor=actors.user(caller.user_sid), now=now)

    run = db.transact(work)
    return RunAnswer(run_sid=run.run_sid, kind=run.kind, state=run.state)


def _progress(progress: Progress) -> ProgressAnswer:
    return ProgressAnswer(
        kind=progress.kind,
        state=progress.state,
        last_success_at=progress.last_success_at and clock.to_wire(progress.last_success_at),
        last_failure_at=progress.last_failure_at and clock.to_wire(progress.last_failure_at),
        last_error=progress.last_error,
        checked_through=progress.checked_through and clock.to_wire(progress.checked_through),
        lag_s=progress.lag_s,
        cursor=progress.page_cursor,
        examined=progress.examined,
        drift_found=progress.drift_found,
        drift_healed=progress.drift_healed,
    )


def _drift(drift: DriftRecord) -> DriftAnswer:
    return DriftAnswer(
        kind=drift.kind,
        object_type=drift.object_type,
        object_id=drift.object_id,
        field=drift.field,
        ours=drift.ours,
        theirs=drift.theirs,
        cause=drift.cause,
        found_at=clock.to_wire(drift.found_at),
        healed_at=drift.healed_at and clock.to_wire(drift.healed_at),
    )


handler = http.entrypoint(app, repeats=Repetition(db.transact, clock.now))
