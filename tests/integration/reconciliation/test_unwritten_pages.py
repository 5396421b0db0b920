"""A page that could be had and not written fails its run at once; nobody has to wait until it counts as abandoned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from functions.job_worker import reconciling
from functions.job_worker.handler import JOBS
from keywright.jobs.worker import Executor, Worker
from keywright.platform import clock, db
from keywright.reconciliation import service
from keywright.reconciliation.models import Kind, RunState
from tests.conftest import Database
from tests.integration.reconciliation.working import Works
from tests.queue_hints import take

ASK_NOBODY = {Kind.LICENSE_SWEEP, Kind.STUCK_WORK}
REFUSAL = (
    "CREATE TRIGGER refuse_drift BEFORE INSERT ON reconciliation_drift FOR EACH ROW"
    " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nothing is written here'"
)


@contextmanager
def refused(database: Database) -> Iterator[None]:
    """Let the database refuse what a page found."""
    database.execute(REFUSAL)
    try:
        yield
    finally:
        database.execute("DROP TRIGGER refuse_drift")


def as_an_effect(payload: dict[str, str]) -> Any:
    """Leave the writing to the transaction that completes the job, which takes every trace of it back."""
    run = db.transact(
        lambda tx: service.take(tx, run_sid=payload["run_sid"], step=int(payload["step"]), now=clock.now())
    )
    assert run is not None
    return reconciling._look_for_events(run)


def carry_out(works: Works, executor: Executor) -> dict[str, Any]:
    """Begin a run whose first page cannot be written; return its row once its job has failed."""
    works.stripe.cast(1)
    run = works.begin(Kind.EVENT_GAP)
    executors = {**JOBS, "reconciliation.event-gap": executor}
    worker = Worker(owner="w", executors=executors, transact=db.transact, reconnect=db.discard)
    with refused(works.database):
        worker.run_these(take("JOBS"), may_begin=lambda _: True)
    return works.run_row(run)


def test_a_page_that_cannot_be_written_fails_the_run_at_once(works: Works):
    row = carry_out(works, JOBS["reconciliation.event-gap"])

    assert (row["state"], row["step"], row["received"]) == ("FAILED", 0, 0)
    assert row["error"].startswith("internal-error: ")
    assert "nothing is written here" in row["error"]
    progress = works.progress(Kind.EVENT_GAP)
    assert (progress["last_success_at"], progress["last_error"]) == (None, row["error"])


def test_nothing_of_the_page_is_left_and_its_retry_completes_the_run(works: Works):
    row = carry_out(works, JOBS["reconciliation.event-gap"])
    assert works.database.execute("SELECT event_id FROM stripe_events") == []

    works.retry_jobs()

    (run,) = works.database.execute("SELECT * FROM reconciliation_runs WHERE kind = 'event-gap'")
    assert (run["run_sid"], run["state"], run["error"], works.lacking()) == (row["run_sid"], "COMPLETE", None, [])


def test_a_page_that_is_written_with_the_jobs_end_is_caught(works: Works):
    assert carry_out(works, as_an_effect)["state"] == "RUNNING"


def test_a_job_that_comes_again_after_its_page_was_written_does_nothing(works: Works):
    run = works.begin(Kind.EVENT_GAP)
    payload = {"run_sid": run.run_sid, "step": "0"}
    executor: Callable[[dict[str, str]], Any] = partial(
        reconciling._execute, Kind.EVENT_GAP, reconciling._look_for_events
    )
    assert executor(payload) is None
    before = works.run_row(run)

    assert executor(payload) is None

    assert works.run_row(run) == before
    assert before["state"] == RunState.COMPLETE


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_says_why_it_failed_with_a_stable_code(works: Works, kind: Kind):
    works.stripe.cast(1)
    works.stripe.control("fail", kind="status", status=500, route="/v1/events", times=10)
    works.stripe.control("fail", kind="status", status=500, route="/v1/products", times=10)

    row = works.reconcile(kind)

    expected = ("COMPLETE", None) if kind in ASK_NOBODY else ("FAILED", "stripe-unavailable")
    assert (row["state"], row["error"] and row["error"].partition(":")[0]) == expected
