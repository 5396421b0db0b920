"""
The life of a run: begun once at a time, a page per job, complete only behind the last page.

A page's findings, the cursor behind it and the job for the next page are one transaction: a cursor never passes what is
not stored.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.jobs import service as jobs
from keywright.platform import ids, log
from keywright.platform.clock import to_wire
from keywright.platform.db import Transaction
from keywright.reconciliation import repository, rules
from keywright.reconciliation.models import (
    Counts,
    Difference,
    Drift,
    Kind,
    Page,
    Progress,
    Report,
    Run,
    RunState,
)
from keywright.stripe_sync import service as stripe_sync

_ERROR_LENGTH = 2000
_SHOWN = 50
WINDOW = "stripe-events"
"""What the alarm about the window of Stripe's list is filed under."""


def begin(
    tx: Transaction, kind: Kind, *, actor: Actor = actors.SYSTEM, confirms: str | None = None, now: datetime
) -> Run:
    """Begin a run, or return the one that is under way. One that failed lately is gone on with where it stopped."""
    progress = repository.lock_progress(tx, kind=kind)
    latest = repository.find_latest_run(tx, kind=kind)
    if latest is not None and latest.state is RunState.RUNNING:
        if now - latest.touched_at < rules.ABANDONED:
            return latest
        repository.fail(tx, latest, error="It was abandoned: its worker and its retries are gone.", now=now)
    run = _new_run(kind, latest, checked_through=progress["checked_through"], confirms=confirms, now=now)
    repository.add_run(tx, run, now=now)
    audit.record(tx, "RECONCILIATION_STARTED", actor=actor, subject=run.run_sid, new={"kind": kind}, now=now)
    if kind is Kind.EVENT_GAP and rules.is_near_loss(progress["checked_through"], now=now):
        _alarm(tx, run, checked_through=progress["checked_through"], now=now)
    _enqueue_page(tx, run, now=now)
    return run


def take(tx: Transaction, *, run_sid: str, step: int, now: datetime) -> Run | None:
    """Return the run whose page a job is for, resumed if it had failed; None if that page is no longer wanted."""
    run = repository.lock_run(tx, run_sid=run_sid)
    if run is None or run.step != step or run.state is RunState.COMPLETE:
        return None
    if run.state is RunState.FAILED:
        latest = repository.find_latest_run(tx, kind=run.kind)
        if latest is None or latest.run_sid != run_sid:
            return None
        repository.resume_run(tx, run_sid=run_sid, now=now)
    return run


def hold(tx: Transaction, run: Run) -> bool:
    """Lock a run for the writing of its page; False if the page was written meanwhile, or the run has ended."""
    current = repository.lock_run(tx, run_sid=run.run_sid)
    return current is not None and current.state is RunState.RUNNING and current.step == run.step


def turn_page(tx: Transaction, run: Run, page: Page, counts: Counts, *, now: datetime) -> None:
    """Move the cursor behind a page whose findings are in this transaction; complete the run behind the last one."""
    repository.turn_page(tx, run_sid=run.run_sid, page_cursor=page.next_cursor, counts=counts, now=now)
    if page.next_cursor is None:
        repository.complete(tx, run, now=now)
        if run.drift_found + counts.drift and run.confirms is None:
            _enqueue_confirmation(tx, run, now=now)
    elif run.step + 1 >= rules.MOST_STEPS:
        repository.fail(tx, run, error="It was too long: the next run goes on behind its cursor.", now=now)
    else:
        _enqueue_page(tx, run, step=run.step + 1, now=now)


def record_failure(tx: Transaction, run: Run, *, error: str, now: datetime) -> None:
    """Note that a page could not be had. The cursor stays; the job's retry resumes the run."""
    repository.fail(tx, run, error=error[:_ERROR_LENGTH], now=now)


def record_drift(tx: Transaction, run: Run, drift: Drift, *, now: datetime) -> int:
    """Keep what differs, and audit that it is being mended; return how many fields."""
    repository.save_drift(tx, run, drift, now=now)
    audit.record(
        tx,
        "RECONCILIATION_REPAIR",
        actor=actors.SYSTEM,
        subject=drift.object_id,
        old={difference.field: difference.ours for difference in drift.differences},
        new={
            **{difference.field: difference.theirs for difference in drift.differences},
            "cause": drift.cause,
            "run_sid": run.run_sid,
        },
        now=now,
    )
    return len(drift.differences)


def report(tx: Transaction, *, now: datetime) -> Report:
    """Return how every kind stands, for staff."""
    rows, counts = repository.list_progress(tx), repository.list_drift_counts(tx)
    progress = []
    for kind in Kind:
        row = rows.get(kind, {})
        through = row.get("checked_through")
        found, healed = counts.get(kind, (0, 0))
        progress.append(
            Progress(
                kind=kind,
                state=RunState(row["state"]) if row.get("state") else None,
                last_success_at=row.get("last_success_at"),
                last_failure_at=row.get("last_failure_at"),
                last_error=row.get("last_error"),
                checked_through=through,
                page_cursor=row.get("page_cursor"),
                lag_s=None if through is None else max(0, int((now - through).total_seconds())),
                examined=row.get("examined") or 0,
                drift_found=found,
                drift_healed=healed,
            )
        )
    refetches = stripe_sync.count_refetches(tx, since=now - timedelta(days=1))
    return Report(progress, repository.list_latest_drift(tx, limit=_SHOWN), refetches)


def _new_run(
    kind: Kind, latest: Run | None, *, checked_through: datetime | None, confirms: str | None, now: datetime
) -> Run:
    goes_on = latest is not None and rules.goes_on(latest, now=now)
    start = rules.window_start(checked_through, now=now) if kind is Kind.EVENT_GAP else None
    return Run(
        run_sid=ids.new("rec", now=now),
        kind=kind,
        state=RunState.RUNNING,
        confirms=confirms,
        step=0,
        page_cursor=latest.page_cursor if goes_on and latest else None,
        window_start=latest.window_start if goes_on and latest else start,
        covers_at=latest.covers_at if goes_on and latest else now,
        drift_found=0,
        touched_at=now,
    )


def _alarm(tx: Transaction, run: Run, *, checked_through: datetime, now: datetime) -> None:
    """Say that events may be lost for good, and compare the objects themselves, which tell what the events would."""
    difference = Difference("checked_through", to_wire(checked_through), to_wire(now - rules.RETENTION))
    cause = "Stripe lists events for thirty days, and nobody has looked for nearly as long"
    lag_days = (now - checked_through).days
    tx.after_commit(lambda: log.warning("events may be lost: Stripe forgets them after 30 days", lag_days=lag_days))
    record_drift(tx, run, Drift("event_list", WINDOW, [difference], cause), now=now)
    begin(tx, Kind.OBJECT_SWEEP, now=now)


def _enqueue_page(tx: Transaction, run: Run, *, step: int = 0, now: datetime) -> None:
    payload = {"run_sid": run.run_sid, "step": str(step)}
    jobs.enqueue(tx, run.kind.job, payload, key=f"{run.run_sid}:{step}", now=now)


def _enqueue_confirmation(tx: Transaction, run: Run, *, now: datetime) -> None:
    """Have the repairs looked at once they had time to be folded. That look is not looked at again."""
    due_at = now + rules.CONFIRMED_AFTER
    jobs.enqueue(tx, run.kind.job, {"confirms": run.run_sid}, key=f"confirm:{run.run_sid}", now=now, due_at=due_at)
