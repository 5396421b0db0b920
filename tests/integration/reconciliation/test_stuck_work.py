"""Events that are stored and that no worker came to are hinted at again, all of them, and it is said that they were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pymysql
import pytest

from keywright.platform import clock, db
from keywright.platform.db import Transaction
from keywright.reconciliation import repository, rules, service, stuck_work
from keywright.reconciliation.models import Counts, Kind, Page, Run
from keywright.stripe_sync import inbox
from tests.conftest import Database
from tests.integration.reconciliation.working import Works
from tests.purchases import NOW, store
from tests.queue_hints import drop, take
from tests.stripe_events import event, product

Look = Callable[[Transaction, Run], None]


def stored(count: int) -> list[str]:
    """Store events that are long overdue, all since the same moment, and lose their hints."""
    sids = store(*(event("product.created", product(f"prod_{number}")) for number in range(count)))
    drop("EVENTS")
    return sids


def drift(works: Works) -> list[dict[str, Any]]:
    return [row for row in works.drift() if row["kind"] == "stuck-work"]


def states(works: Works) -> set[str]:
    return {row["state"] for row in works.database.execute("SELECT state FROM stripe_event_work")}


def test_events_whose_hints_were_lost_are_found_folded_and_seen_to_be(works: Works):
    stored(3)

    run = works.reconcile(Kind.STUCK_WORK)
    found = drift(works)
    second = works.reconcile(Kind.STUCK_WORK)

    assert (run["state"], run["examined"], run["drift_found"], states(works)) == ("COMPLETE", 3, 3, {"PROCESSED"})
    assert {(row["object_type"], row["ours"], row["theirs"]) for row in found} == {("event", "RECEIVED", "PROCESSED")}
    assert (second["state"], second["examined"]) == ("COMPLETE", 0)
    assert all(row["healed_at"] is not None for row in drift(works))
    assert works.progress(Kind.STUCK_WORK)["checked_through"] == second["covers_at"]


def test_the_run_and_every_hint_are_audited(works: Works):
    sids = stored(2)

    run = works.reconcile(Kind.STUCK_WORK)

    (begun,) = works.database.execute("SELECT * FROM audit_log WHERE action = 'RECONCILIATION_STARTED'")
    assert (begun["actor_kind"], begun["subject_sid"]) == ("SYSTEM", run["run_sid"])
    repairs = works.database.execute("SELECT * FROM audit_log WHERE action = 'RECONCILIATION_REPAIR'")
    assert sorted(row["subject_sid"] for row in repairs) == sorted(sids)


def test_an_event_that_stays_stuck_is_told_once_and_since_when(works: Works):
    (sid,) = stored(1)
    run = works.begin(Kind.STUCK_WORK)
    db.transact(lambda tx: stuck_work.apply(tx, run, now=clock.now()))
    drop("EVENTS")
    (first,) = drift(works)

    again = works.begin(Kind.STUCK_WORK)
    db.transact(lambda tx: stuck_work.apply(tx, again, now=clock.now()))

    (row,) = drift(works)
    assert (row["drift_id"], row["found_at"], row["healed_at"]) == (first["drift_id"], first["found_at"], None)
    assert take("EVENTS") == [sid]


def test_a_parked_event_that_nobody_looked_at_again_says_what_it_waits_for(works: Works):
    stored(1)
    works.database.execute("UPDATE stripe_event_work SET state = 'PARKED', waiting_for = 'price:price_9'")

    works.reconcile(Kind.STUCK_WORK)

    (row,) = drift(works)
    assert (row["ours"], row["cause"]) == ("PARKED", "nobody has looked again whether price:price_9 has come")
    assert states(works) == {"PROCESSED"}


@pytest.mark.parametrize(("overdue", "found"), [(timedelta(minutes=4), 0), (timedelta(minutes=6), 1)])
def test_what_a_hint_may_still_be_bringing_is_left_alone(works: Works, overdue: timedelta, found: int):
    stored(1)
    works.database.execute("UPDATE stripe_event_work SET due_at = %s", clock.now() - overdue)

    assert works.reconcile(Kind.STUCK_WORK)["examined"] == found


@pytest.mark.parametrize("state", ["PROCESSED", "IGNORED", "DEAD"])
def test_what_is_done_or_given_up_is_not_stuck(works: Works, state: str):
    stored(1)
    works.database.execute("UPDATE stripe_event_work SET state = %s, reason = 'no'", state)

    assert works.reconcile(Kind.STUCK_WORK)["examined"] == 0
    assert take("EVENTS") == []


def page_by_page(look: Look) -> list[str]:
    """Have a look in pages of two at events that are due in one moment; return the hints that it sent."""
    run = db.transact(lambda tx: service.begin(tx, Kind.STUCK_WORK, now=clock.now()))
    for step in range(10):
        taken = db.transact(lambda tx: service.take(tx, run_sid=run.run_sid, step=step, now=clock.now()))  # noqa: B023
        if taken is None:
            break
        db.transact(lambda tx: look(tx, taken))  # noqa: B023
    return take("EVENTS")


def honest(tx: Transaction, run: Run) -> None:
    stuck_work.apply(tx, run, page_size=2, now=clock.now())


def by_time_alone(tx: Transaction, run: Run) -> None:
    """Page by when the events were due, and forget which of them were seen."""
    due_at, _ = rules.overdue_place(run.page_cursor)
    rows = repository.list_stuck(tx, before=run.covers_at, after_due=due_at, after_id="~", limit=2)
    inbox.hint(tx, [row["event_id"] for row in rows])
    cursor = rules.overdue_cursor(rows[-1]["due_at"], "") if len(rows) == 2 else None
    service.turn_page(tx, run, Page((), run.covers_at, cursor), Counts(examined=len(rows)), now=clock.now())


def test_every_event_of_one_moment_is_hinted_at_once_however_small_the_pages(works: Works):
    sids = stored(7)

    assert sorted(page_by_page(honest)) == sorted(sids)
    (run,) = works.database.execute("SELECT * FROM reconciliation_runs")
    assert (run["state"], run["step"], run["examined"]) == ("COMPLETE", 4, 7)


def test_a_cursor_of_time_alone_is_caught(works: Works):
    sids = stored(7)

    assert sorted(page_by_page(by_time_alone)) != sorted(sids)


def test_a_page_that_is_carried_out_twice_counts_once(works: Works):
    stored(2)
    run = works.begin(Kind.STUCK_WORK)

    for _ in range(2):
        db.transact(lambda tx: stuck_work.apply(tx, run, now=clock.now()))

    row = works.run_row(run)
    assert (row["state"], row["step"], row["examined"]) == ("COMPLETE", 1, 2)


def test_a_page_that_cannot_be_written_fails_the_run_and_its_retry_completes_it(works: Works):
    stored(1)
    works.begin(Kind.STUCK_WORK)
    works.database.execute(
        "CREATE TRIGGER refuse_drift BEFORE INSERT ON reconciliation_drift FOR EACH ROW"
        " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'nothing is written here'"
    )
    try:
        works.finish()
    finally:
        works.database.execute("DROP TRIGGER refuse_drift")
    (failed,) = works.database.execute("SELECT * FROM reconciliation_runs")

    works.retry_jobs()

    (run,) = works.database.execute("SELECT * FROM reconciliation_runs")
    assert (failed["state"], works.progress(Kind.STUCK_WORK)["last_error"]) == ("FAILED", failed["error"])
    assert (run["run_sid"], run["state"], states(works)) == (failed["run_sid"], "COMPLETE", {"PROCESSED"})


def test_a_place_is_read_as_it_was_written():
    assert rules.overdue_place(rules.overdue_cursor(NOW, "evt_1")) == (NOW, "evt_1")


def test_the_database_knows_no_fifth_kind(clean_database: Database):
    with pytest.raises(pymysql.MySQLError, match="ck_reconciliation_progress_kinds"):
        clean_database.execute("INSERT INTO reconciliation_progress (kind) VALUES ('everything')")
