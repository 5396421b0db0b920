"""Events that were never delivered enter the inbox, and the cursor never passes one that is not stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pymysql
import pytest

from keywright.platform import clock, db
from keywright.platform.db import Transaction
from keywright.reconciliation import event_gap, gateway, service
from keywright.reconciliation.models import Counts, Kind, Page, Run
from tests.integration.reconciliation.working import Works

Step = Callable[[Transaction], None]


class Crash(Exception):
    pass


def test_what_was_never_delivered_is_stored_folded_and_found_healed_by_the_next_look(works: Works):
    works.stripe.cast(11)

    first = works.reconcile(Kind.EVENT_GAP)

    assert works.lacking() == []
    assert (first["state"], first["step"]) == ("COMPLETE", first["examined"] // 100 + 1)
    assert first["examined"] > 100
    assert first["received"] == first["drift_found"] == len(works.drift())
    states = {row["state"] for row in works.database.execute("SELECT DISTINCT state FROM stripe_event_work")}
    assert states <= {"PROCESSED", "IGNORED"}
    second = works.reconcile(Kind.EVENT_GAP)
    assert (second["received"], second["drift_found"]) == (0, 0)
    assert all(row["healed_at"] is not None for row in works.drift())


def test_every_event_that_was_missing_is_audited(works: Works):
    works.reconcile(Kind.EVENT_GAP)

    audited = works.database.execute("SELECT subject_sid FROM audit_log WHERE action = 'RECONCILIATION_REPAIR'")
    assert {row["subject_sid"] for row in audited} == {row["object_id"] for row in works.drift()}
    assert {row["cause"] for row in works.drift()} == {"Stripe had not delivered it"}


def test_a_look_that_fails_says_so_and_its_retry_goes_on_where_it_stopped(works: Works):
    works.stripe.cast(11)
    works.stripe.control("fail", kind="status", status=500, route="/v1/events", nth=2, times=1000)

    failed = works.reconcile(Kind.EVENT_GAP)

    assert (failed["state"], failed["step"], failed["failures"] >= 1) == ("FAILED", 1, True)
    progress = works.progress(Kind.EVENT_GAP)
    assert (progress["checked_through"], progress["last_success_at"]) == (None, None)
    assert "stripe-unavailable: " in progress["last_error"]
    works.stripe.control("fail/clear", all=True)
    works.retry_jobs()
    (run,) = works.database.execute("SELECT * FROM reconciliation_runs WHERE kind = 'event-gap'")
    assert (run["state"], run["error"], works.lacking()) == ("COMPLETE", None, [])
    assert works.progress(Kind.EVENT_GAP)["checked_through"] == run["covers_at"]


def test_a_run_that_was_abandoned_is_failed_and_gone_on_with(works: Works):
    works.stripe.cast(11)
    works.stripe.control("fail", kind="status", status=500, route="/v1/events", nth=2, times=1000)
    failed = works.reconcile(Kind.EVENT_GAP)
    works.database.execute("UPDATE jobs SET state = 'DEAD', finished_at = created_at WHERE state = 'FAILED'")
    works.stripe.control("fail/clear", all=True)

    second = works.reconcile(Kind.EVENT_GAP)

    assert (second["state"], works.lacking()) == ("COMPLETE", [])
    assert second["covers_at"] == failed["covers_at"]
    assert second["examined"] < failed["examined"] + second["examined"]
    assert works.run_row(Run(**_named(failed)))["state"] == "FAILED"


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in Run.__dataclass_fields__}


def test_near_the_end_of_stripes_list_it_alarms_and_compares_the_objects_themselves(works: Works):
    works.reconcile(Kind.EVENT_GAP)
    old = clock.now() - timedelta(days=28)
    works.database.execute("UPDATE reconciliation_progress SET checked_through = %s", old)

    works.begin(Kind.EVENT_GAP)

    (alarm,) = [row for row in works.drift() if row["object_type"] == "event_list"]
    assert (alarm["object_id"], alarm["healed_at"]) == ("stripe-events", None)
    runs = works.database.execute("SELECT kind FROM reconciliation_runs WHERE state = 'RUNNING' ORDER BY kind")
    assert [row["kind"] for row in runs] == ["event-gap", "object-sweep"]
    works.finish()
    (alarm,) = [row for row in works.drift() if row["object_type"] == "event_list"]
    assert alarm["healed_at"] is not None


def honest(run: Run, page: Page) -> Sequence[Step]:
    return [lambda tx: event_gap.apply(tx, run, page, now=clock.now())]


def cursor_first(run: Run, page: Page) -> Sequence[Step]:
    """Move the cursor in one transaction and store the events in the next one."""
    return [lambda tx: service.turn_page(tx, run, page, Counts(), now=clock.now()), *honest(run, page)]


def what_a_crash_loses(works: Works, steps_of: Callable[[Run, Page], Sequence[Step]]) -> list[str]:
    """Crash at the end of the page's last transaction; let the retry and another run do their best."""
    run = works.begin(Kind.EVENT_GAP)
    page = gateway.list_events(since=run.window_start, after=None, asked_at=clock.now())
    *before, last = steps_of(run, page)
    for step in before:
        db.transact(step)

    def crash(tx: Transaction) -> None:
        last(tx)
        raise Crash

    with suppress(Crash):
        db.transact(crash)
    works.finish()
    works.reconcile(Kind.EVENT_GAP)
    return works.lacking()


def test_no_crash_loses_an_event(late_works: Works):
    assert what_a_crash_loses(late_works, honest) == []


def test_a_cursor_that_moves_before_the_insert_is_caught(late_works: Works):
    assert len(what_a_crash_loses(late_works, cursor_first)) > 0


def test_what_was_listed_and_what_was_fetched_say_so(works: Works):
    works.stripe.cast(1)

    works.reconcile(Kind.EVENT_GAP)

    came = works.database.execute("SELECT event_id, source, headers FROM stripe_events")
    assert {(row["event_id"].partition("_")[0], row["source"], row["headers"]) for row in came} == {
        ("evt", "LISTED", None),
        ("obs", "OBSERVED", None),
    }


def test_a_page_that_is_delivered_twice_counts_once(works: Works):
    run = works.begin(Kind.EVENT_GAP)
    page = gateway.list_events(since=run.window_start, after=None, asked_at=clock.now())

    for _ in range(2):
        db.transact(lambda tx: event_gap.apply(tx, run, page, now=clock.now()))

    row = works.run_row(run)
    assert (row["state"], row["step"], row["examined"]) == ("COMPLETE", 1, len(page.subjects))


@pytest.mark.parametrize(
    ("lie", "rule"),
    [
        ("state = 'COMPLETE'", "finished"),
        ("state = 'COMPLETE', finished_at = touched_at, page_cursor = 'evt_1'", "complete"),
        ("state = 'COMPLETE', finished_at = touched_at, error = 'it broke'", "error"),
        ("state = 'FAILED', finished_at = touched_at", "error"),
    ],
)
def test_the_database_refuses_a_run_that_says_more_than_it_did(works: Works, lie: str, rule: str):
    run = works.begin(Kind.EVENT_GAP)

    with pytest.raises(pymysql.MySQLError, match=f"ck_reconciliation_runs_{rule}"):
        works.database.execute(f"UPDATE reconciliation_runs SET {lie} WHERE run_sid = %s", run.run_sid)
