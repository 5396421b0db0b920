"""The worker: what it begins, finishes, skips, gives back, and writes down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keywright.jobs import recovery, service
from keywright.jobs.kinds import Backoff, Kind, Payload
from keywright.jobs.models import KeyScope, PayloadInvalid, Priority, Skipped, UnknownKind
from keywright.jobs.worker import Executor, Pace, Worker
from keywright.platform import clock, db
from keywright.platform.errors import RequestInvalid
from tests.conftest import Database

pytestmark = pytest.mark.usefixtures("clean_database")

PLAIN = Kind("test.plain", Payload(frozenset({"n"})), timeout_s=30, max_attempts=3)
LIGHT = Kind("test.light", Payload(frozenset({"n"})), timeout_s=30, light=True)
REGISTRY = {kind.name: kind for kind in (PLAIN, LIGHT)}
HOUR = timedelta(hours=1)


def add(count: int, kind: Kind = PLAIN, *, prefix: str = "") -> None:
    payloads = [(f"{prefix}{n}", {"n": str(n)}) for n in range(count)]
    db.transact(lambda tx: service.enqueue_many(tx, kind, payloads, now=clock.now()))


def worker(execute: Executor, *, owner: str = "worker-1") -> Worker:
    executors = dict.fromkeys(REGISTRY, execute)
    pace = Pace(batch=10)
    return Worker(
        owner=owner, executors=executors, transact=db.transact, reconnect=db.discard, pace=pace, registry=REGISTRY
    )


def always(_longest: timedelta) -> bool:
    return True


def jobs(database: Database) -> list[dict[str, object]]:
    return database.execute("SELECT * FROM jobs ORDER BY job_sid")


def history(database: Database) -> list[tuple[object, ...]]:
    rows = database.execute("SELECT outcome, error_class, message FROM job_attempts ORDER BY job_sid, lease_token")
    return [tuple(row.values()) for row in rows]


def test_a_batch_is_carried_out_and_written_down(database):
    add(4)

    carried_out = worker(lambda _payload: None).run_due(may_begin=always)

    assert carried_out == 4
    assert {(job["state"], job["attempts"]) for job in jobs(database)} == {("COMPLETED", 1)}
    assert history(database) == [("COMPLETED", None, None)] * 4


def test_what_was_not_begun_is_given_back_uncounted(database):
    add(5)
    room = iter([True, True, False])

    carried_out = worker(lambda _payload: None).run_due(may_begin=lambda _longest: next(room))

    assert carried_out == 2
    assert [(job["state"], job["attempts"]) for job in jobs(database)] == [("COMPLETED", 1)] * 2 + [("PENDING", 0)] * 3
    assert len(history(database)) == 2


def test_a_job_is_not_begun_without_the_time_that_it_may_take(database):
    add(1)

    carried_out = worker(lambda _payload: None).run_due(may_begin=lambda longest: longest < timedelta(seconds=30))

    assert carried_out == 0
    assert [(job["state"], job["attempts"]) for job in jobs(database)] == [("PENDING", 0)]


def test_a_job_with_nothing_to_do_completes_and_keeps_the_reason(database):
    add(1)

    worker(lambda _payload: Skipped("The address bounced.")).run_due(may_begin=always)

    assert [job["state"] for job in jobs(database)] == ["COMPLETED"]
    assert history(database) == [("COMPLETED", None, "The address bounced.")]


def test_an_effect_that_fails_leaves_nothing_and_the_job_comes_back(database):
    add(1)

    def effect(tx: db.Transaction) -> None:
        tx.run("INSERT INTO customers VALUES ('c', 'PERSON', 'A', 'a@b.c', NULL, NOW(6), NOW(6))")
        raise ConnectionError("gone")

    worker(lambda _payload: effect).run_due(may_begin=always)

    assert database.execute("SELECT * FROM customers") == []
    assert [job["state"] for job in jobs(database)] == ["FAILED"]
    assert history(database) == [("FAILED", "ConnectionError", "ConnectionError: gone")]


def test_an_error_that_time_does_not_mend_is_the_end(database):
    add(1)

    def refuse(_payload: dict[str, str]) -> None:
        raise RequestInvalid("never")

    worker(refuse).run_due(may_begin=always)

    assert [(job["state"], job["attempts"]) for job in jobs(database)] == [("DEAD", 1)]


def test_light_jobs_that_lost_their_worker_go_on_alone_and_uncharged(database):
    add(3, LIGHT)
    now, lease = clock.now(), timedelta(seconds=5)
    claim = {"owner": "me", "registry": REGISTRY, "lease": lease}
    db.transact(lambda tx: service.claim_due(tx, limit=10, now=now, **claim))

    db.transact(lambda tx: recovery.recover(tx, now=now + lease, limit=10))

    assert {(job["state"], job["attempts"], job["worker_losses"]) for job in jobs(database)} == {("PENDING", 0, 0)}
    alone = db.transact(lambda tx: service.claim_due(tx, limit=10, now=now + lease, **claim))
    assert len(alone) == 1


def test_what_was_claimed_and_never_begun_is_not_charged_for_a_lost_worker(database):
    add(3)
    db.transact(lambda tx: service.claim_due(tx, limit=10, owner="lost", now=clock.now(), registry=REGISTRY))

    db.transact(lambda tx: recovery.recover(tx, now=clock.now() + HOUR, limit=10))

    assert {(job["state"], job["attempts"], job["worker_losses"]) for job in jobs(database)} == {("PENDING", 0, 0)}
    assert history(database) == []


def test_a_job_beyond_its_time_has_failed_and_its_owner_is_refused(database):
    add(1)
    (job,) = db.transact(lambda tx: service.claim_due(tx, limit=1, owner="slow", now=clock.now(), registry=REGISTRY))

    db.transact(lambda tx: recovery.recover(tx, now=clock.now() + timedelta(seconds=31), limit=10))

    assert history(database)[0][:2] == ("TIMED_OUT", "Timeout")
    with pytest.raises(service.LeaseLost):
        db.transact(lambda tx: service.complete(tx, job, now=clock.now()))


def test_a_heartbeat_prolongs_the_lease_and_not_beyond_the_deadline(database):
    add(1)
    now, lease = clock.now(), timedelta(seconds=10)
    claim = {"limit": 1, "owner": "me", "registry": REGISTRY, "lease": lease}
    (job,) = db.transact(lambda tx: service.claim_due(tx, now=now, **claim))

    for seconds, expected in ((5, 15), (25, 30)):
        then = now + timedelta(seconds=seconds)
        db.transact(lambda tx, then=then: service.heartbeat(tx, [job], now=then, lease=lease))
        assert jobs(database)[0]["lease_expires_at"] == now + timedelta(seconds=expected)


def test_two_recoveries_at_once_settle_each_job_once(database):
    add(3)
    db.transact(lambda tx: service.claim_due(tx, limit=1, owner="lost", now=clock.now(), registry=REGISTRY))
    later = clock.now() + HOUR

    counts = [db.transact(lambda tx: recovery.recover(tx, now=later, limit=10)) for _ in range(2)]

    assert counts == [1, 0]
    assert len(history(database)) == 1


def test_the_urgent_go_first_and_the_rest_does_not_starve(database):
    now = clock.now() - HOUR
    for name, priority, waited in (("bulk", 0, 40), ("urgent", 30, 0), ("normal", 5, 0)):
        kind = Kind(f"test.{name}", Payload(), priority=Priority(priority))
        since = now - timedelta(minutes=waited)
        db.transact(lambda tx, kind=kind, since=since: service.enqueue(tx, kind, {}, key="1", now=since))

    claimed = db.transact(lambda tx: service.claim_due(tx, limit=3, owner="me", now=clock.now()))

    assert [job.kind for job in claimed] == ["test.bulk", "test.urgent", "test.normal"]


def test_a_key_of_scope_active_is_free_again_once_the_job_has_ended(database):
    def enqueue() -> None:
        active = {"key": "x", "scope": KeyScope.ACTIVE, "now": clock.now()}
        db.transact(lambda tx: service.enqueue(tx, PLAIN, {"n": "1"}, **active))

    enqueue()
    enqueue()
    worker(lambda _payload: None).run_due(may_begin=always)
    enqueue()

    assert [job["state"] for job in jobs(database)] == ["COMPLETED", "PENDING"]


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
def test_a_job_enqueued_by_a_clock_that_is_an_hour_wrong_is_due_at_once(database, skew):
    db.transact(lambda tx: service.enqueue(tx, PLAIN, {"n": "1"}, key="x", now=clock.now() + skew))

    assert worker(lambda _payload: None).run_due(may_begin=always) == 1


def test_a_payload_that_does_not_fit_its_kind_is_refused_at_the_door():
    with pytest.raises(PayloadInvalid):
        db.transact(lambda tx: service.enqueue(tx, PLAIN, {"m": "1"}, key="x", now=clock.now()))
    with pytest.raises(UnknownKind):
        db.transact(lambda tx: service.enqueue(tx, "test.unheard-of", {}, key="x", now=clock.now()))


def test_old_history_goes_and_a_key_that_is_for_ever_stays(database):
    add(2)
    active = {"key": "a", "scope": KeyScope.ACTIVE}
    db.transact(lambda tx: service.enqueue(tx, PLAIN, {"n": "1"}, now=clock.now(), **active))
    worker(lambda _payload: None).run_due(may_begin=always)
    later = clock.now() + timedelta(days=91)

    while db.transact(lambda tx: recovery.prune(tx, now=later, limit=2)):
        pass

    assert history(database) == []
    assert [job["key_scope"] for job in jobs(database)] == ["FOREVER", "FOREVER"]


def test_a_kind_has_its_own_backoff(database):
    patient = Kind("test.patient", Payload(), backoff=Backoff(timedelta(hours=2), timedelta(hours=9)))
    db.transact(lambda tx: service.enqueue(tx, patient, {}, key="x", now=clock.now()))
    now = clock.now()
    (job,) = db.transact(lambda tx: service.claim_due(tx, limit=1, owner="me", now=now))

    db.transact(lambda tx: service.fail(tx, job, error="no", now=now, jitter=0.5, backoff=patient.backoff))

    assert jobs(database)[0]["due_at"] == now + timedelta(hours=2)
