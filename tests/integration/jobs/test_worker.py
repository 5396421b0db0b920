"""The worker: what it begins, finishes, skips, gives back, and writes down."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from keywright.jobs import recovery, rules, service
from keywright.jobs.kinds import Backoff, Kind, Payload
from keywright.jobs.models import Job, KeyScope, LeaseLost, PayloadInvalid, Priority, Skipped, UnknownKind
from keywright.jobs.worker import Executor, Pace, Worker
from keywright.platform import callers, clock, db
from keywright.platform.connection import connect
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


def claim(limit: int, *, now: datetime, lease: timedelta = rules.LEASE) -> list[Job]:
    """Claim jobs, and then do nothing more for them."""

    def work(tx: db.Transaction) -> list[Job]:
        return service.claim_due(tx, limit=limit, owner="lost", now=now, lease=lease, registry=REGISTRY)

    return db.transact(work)


def recover(now: datetime) -> int:
    return db.transact(lambda tx: recovery.recover(tx, now=now, limit=10))


def enqueue(kind: Kind | str, payload: dict[str, str], *, key: str = "x", **values: Any) -> None:
    values.setdefault("now", clock.now())
    db.transact(lambda tx: service.enqueue(tx, kind, payload, key=key, **values))


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


def test_whatever_a_job_asks_is_asked_in_the_name_of_its_kind(database):
    add(1)
    told: list[str] = []

    worker(lambda _payload: told.append(callers.current())).run_due(may_begin=always)

    assert told == ["test.plain"]
    assert callers.current() == callers.UNNAMED


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
    claim(10, now=now, lease=lease)

    recover(now + lease)

    assert {(job["state"], job["attempts"], job["worker_losses"]) for job in jobs(database)} == {("PENDING", 0, 0)}
    assert len(claim(10, now=now + lease)) == 1


def test_workers_that_claim_at_once_get_different_jobs_and_none_waits_for_another(database: Database):
    add(40)

    with ExitStack() as open_claims:
        taken = [_claim_and_hold(open_claims, f"worker-{number}", limit=5) for number in range(8)]

    assert [len(sids) for sids in taken] == [5] * 8
    assert len({sid for sids in taken for sid in sids}) == 40


def _claim_and_hold(open_claims: ExitStack, owner: str, *, limit: int) -> list[str]:
    """Claim without committing, and without patience for anybody's lock."""
    rival = open_claims.enter_context(closing(connect()))
    with rival.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
    rival.begin()
    claimed = service.claim_due(
        db.Transaction(rival), limit=limit, owner=owner, now=clock.now() + HOUR, registry=REGISTRY
    )
    return [job.job_sid for job in claimed]


def test_what_was_claimed_and_never_begun_is_not_charged_for_a_lost_worker(database):
    add(3)
    claim(10, now=clock.now())

    recover(clock.now() + HOUR)

    assert {(job["state"], job["attempts"], job["worker_losses"]) for job in jobs(database)} == {("PENDING", 0, 0)}
    assert history(database) == []


def test_a_job_beyond_its_time_has_failed_and_its_owner_is_refused(database):
    add(1)
    (job,) = claim(1, now=clock.now())

    recover(clock.now() + timedelta(seconds=31))

    assert history(database)[0][:2] == ("TIMED_OUT", "Timeout")
    with pytest.raises(LeaseLost):
        db.transact(lambda tx: service.complete(tx, job, now=clock.now()))


def test_a_heartbeat_prolongs_the_lease_and_not_beyond_the_deadline(database):
    add(1)
    now, lease = clock.now(), timedelta(seconds=10)
    (job,) = claim(1, now=now, lease=lease)

    for seconds, expected in ((5, 15), (25, 30)):
        then = now + timedelta(seconds=seconds)
        db.transact(partial(service.heartbeat, jobs=[job], now=then, lease=lease))
        assert jobs(database)[0]["lease_expires_at"] == now + timedelta(seconds=expected)


def test_two_recoveries_at_once_settle_each_job_once(database):
    add(3)
    claim(1, now=clock.now())
    later = clock.now() + HOUR

    counts = [recover(later), recover(later)]

    assert counts == [1, 0]
    assert len(history(database)) == 1


def test_the_urgent_go_first_and_the_rest_does_not_starve(database):
    now = clock.now() - HOUR
    for name, priority, waited in (("bulk", 0, 40), ("urgent", 30, 0), ("normal", 5, 0)):
        kind = Kind(f"test.{name}", Payload(), priority=Priority(priority))
        enqueue(kind, {}, now=now - timedelta(minutes=waited))

    assert [job.kind for job in claim(3, now=clock.now())] == ["test.bulk", "test.urgent", "test.normal"]


def test_a_key_of_scope_active_is_free_again_once_the_job_has_ended(database):
    for _ in range(2):
        enqueue(PLAIN, {"n": "1"}, scope=KeyScope.ACTIVE)
    worker(lambda _payload: None).run_due(may_begin=always)
    enqueue(PLAIN, {"n": "1"}, scope=KeyScope.ACTIVE)

    assert [job["state"] for job in jobs(database)] == ["COMPLETED", "PENDING"]


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
def test_a_job_enqueued_by_a_clock_that_is_an_hour_wrong_is_due_at_once(database, skew):
    enqueue(PLAIN, {"n": "1"}, now=clock.now() + skew)

    assert worker(lambda _payload: None).run_due(may_begin=always) == 1


def test_a_payload_that_does_not_fit_its_kind_is_refused_at_the_door():
    with pytest.raises(PayloadInvalid):
        enqueue(PLAIN, {"m": "1"})
    with pytest.raises(UnknownKind):
        enqueue("test.unheard-of", {})


def test_old_history_goes_and_a_key_that_is_for_ever_stays(database):
    add(2)
    enqueue(PLAIN, {"n": "1"}, scope=KeyScope.ACTIVE)
    worker(lambda _payload: None).run_due(may_begin=always)
    later = clock.now() + timedelta(days=91)

    while db.transact(lambda tx: recovery.prune(tx, now=later, limit=2)):
        pass

    assert history(database) == []
    assert [job["key_scope"] for job in jobs(database)] == ["FOREVER", "FOREVER"]


def test_a_kind_has_its_own_backoff(database):
    patient = Kind("test.patient", Payload(), backoff=Backoff(timedelta(hours=2), timedelta(hours=9)))
    enqueue(patient, {})
    now = clock.now()
    (job,) = claim(1, now=now)

    db.transact(lambda tx: service.fail(tx, job, error="no", now=now, jitter=0.5, backoff=patient.backoff))

    assert jobs(database)[0]["due_at"] == now + timedelta(hours=2)
