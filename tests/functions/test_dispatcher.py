"""The dispatcher finds what hints forgot, and enqueues recurring work once a period."""

from __future__ import annotations

import pytest

from keywright.jobs import recurrence, service
from keywright.jobs.kinds import RECURRING, Kind, Payload
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from tests.purchases import catalog_events, store
from tests.queue_hints import batch, drop, failed, take
from tests.stripe_events import event_id

DISPATCH = {"do": "dispatch"}


@pytest.fixture(autouse=True)
def quiet(clean_database) -> None:
    # What recurs in this period is done, and in the next, which may begin while the test runs. Both follow from one
    # moment: between two there could be a third period, that nobody has done.
    db.transact(done_by_now_and_soon)
    drop("EVENTS")
    drop("JOBS")


def done_by_now_and_soon(tx: Transaction) -> None:
    now = service.database_time(tx)
    for moment in (now, now + min(each.every for each in RECURRING.values())):
        recurrence.enqueue_due(tx, now=moment)
    tx.run("UPDATE jobs SET state = 'COMPLETED', finished_at = created_at")


def test_an_event_whose_hint_was_lost_is_found_and_folded(invoke, database):
    store(*catalog_events()[:1])
    take("EVENTS")

    assert invoke("dispatcher", DISPATCH) == {"jobs": 0, "events": 1, "reviews": 0}

    (sid,) = take("EVENTS")
    assert sid == event_id(catalog_events()[0])
    assert failed(invoke("license_worker", batch({"event_id": sid}))) == []
    assert invoke("dispatcher", DISPATCH) == {"jobs": 0, "events": 0, "reviews": 0}


def test_an_event_that_has_just_come_is_left_to_its_own_hint(invoke, database):
    store(*catalog_events()[:1])
    database.execute("UPDATE stripe_event_work SET due_at = %s", clock.now())

    assert invoke("dispatcher", DISPATCH)["events"] == 0


def test_a_job_whose_hint_was_lost_is_found(invoke):
    db.transact(lambda tx: service.enqueue(tx, Kind("a.job", Payload()), {}, key="1", now=clock.now()))
    (sid,) = take("JOBS")

    assert invoke("dispatcher", DISPATCH) == {"jobs": 1, "events": 0, "reviews": 0}
    assert take("JOBS") == [sid]


def test_dispatching_twice_does_no_harm(invoke):
    store(*catalog_events()[:1])
    take("EVENTS")

    first, second = invoke("dispatcher", DISPATCH), invoke("dispatcher", DISPATCH)

    assert first == second
    sids = take("EVENTS")
    assert failed(invoke("license_worker", batch(*({"event_id": sid} for sid in sids)))) == []


def test_recurring_work_is_enqueued_once_a_period_however_often_the_schedule_fires(invoke, database):
    database.execute("DELETE FROM jobs")

    for _ in range(3):
        invoke("dispatcher", {"do": "enqueue", "kind": "catalog.sync"})

    keys = [row["job_key"] for row in database.execute("SELECT job_key FROM jobs")]
    assert len(keys) <= 2  # two only if the hour turned meanwhile
    assert {key.split(":")[0] for key in keys} == {"catalog.sync"}
    assert len(take("JOBS")) == len(keys)


def test_a_schedule_that_was_missed_is_made_good_by_the_next_dispatch(invoke, database):
    database.execute("DELETE FROM jobs")

    invoke("dispatcher", DISPATCH)

    assert {row["kind"] for row in database.execute("SELECT kind FROM jobs")} == set(RECURRING)


def test_nothing_to_do_is_no_trouble(invoke):
    assert invoke("dispatcher", DISPATCH) == {"jobs": 0, "events": 0, "reviews": 0}
