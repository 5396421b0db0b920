"""The life of a job: born with its cause, held by one owner at a time, finished with its effects or not at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from keywright.jobs import rules, service
from keywright.jobs.kinds import Kind, Payload
from keywright.jobs.models import Job, LeaseLost
from keywright.platform import db
from keywright.platform.clock import from_unix
from keywright.platform.connection import connect
from keywright.platform.db import Transaction
from tests.conftest import Database
from tests.queue_hints import drop, take

pytestmark = pytest.mark.usefixtures("clean_database")

NOW = from_unix(1_790_000_000)
SECOND = timedelta(seconds=1)
# It may take a day, so that what runs out here is the lease.
MAIL = Kind("mail.send", Payload(frozenset({"to"})), timeout_s=86400, max_attempts=12)


def enqueue(tx: Transaction, key: str = "cause", *, due_at: datetime | None = None) -> None:
    service.enqueue(tx, MAIL, {"to": "ada"}, key=key, now=NOW, due_at=due_at)


def added(database: Database) -> str:
    """Enqueue a job; return its sid."""
    db.transact(enqueue)
    (row,) = database.execute("SELECT job_sid FROM jobs")
    return str(row["job_sid"])


def claim(job_sid: str, *, owner: str = "worker-1", now: datetime = NOW) -> Job | None:
    return db.transact(lambda tx: service.claim(tx, job_sid=job_sid, owner=owner, now=now))


def claimed(job_sid: str, *, now: datetime = NOW) -> Job:
    job = claim(job_sid, now=now)
    assert job is not None
    return job


def fail(job: Job, *, now: datetime) -> None:
    db.transact(lambda tx: service.fail(tx, job, error="no", now=now, jitter=0.5))


def row(database: Database) -> dict[str, object]:
    (found,) = database.execute("SELECT * FROM jobs")
    return found


def hints() -> list[str]:
    return take("JOBS")


@pytest.fixture(autouse=True)
def empty_queue(clean_database: Database) -> None:
    drop("JOBS")


def test_a_job_exists_only_if_its_cause_is_committed(database):
    def work(tx: Transaction) -> None:
        enqueue(tx)
        raise KeyError("changed my mind")

    with pytest.raises(KeyError):
        db.transact(work)

    assert database.execute("SELECT * FROM jobs") == []
    assert hints() == []


def test_a_committed_job_is_hinted_at_and_waits(database):
    job_sid = added(database)

    assert hints() == [job_sid]
    assert (row(database)["state"], row(database)["attempts"]) == ("PENDING", 0)


def test_the_same_cause_is_no_second_job(database):
    added(database)

    db.transact(enqueue)
    db.transact(lambda tx: enqueue(tx, "another cause"))

    assert len(database.execute("SELECT * FROM jobs")) == 2


def test_a_job_of_later_is_not_hinted_at_and_cannot_be_claimed_before(database):
    db.transact(lambda tx: enqueue(tx, due_at=NOW + SECOND))
    job_sid = str(row(database)["job_sid"])

    assert hints() == []
    assert claim(job_sid, now=NOW) is None
    assert claim(job_sid, now=NOW + SECOND) is not None


def test_of_two_claims_one_gets_the_job(database):
    job_sid = added(database)

    first, second = claim(job_sid), claim(job_sid, owner="worker-2")

    assert first is not None
    assert (first.attempts, first.lease_token, dict(first.payload)) == (1, 1, {"to": "ada"})
    assert second is None


def test_a_claim_beside_one_that_is_not_committed_goes_away_at_once(database):
    job_sid = added(database)
    rival = connect()
    rival.begin()
    held = service.claim(Transaction(rival), job_sid=job_sid, owner="worker-1", now=NOW)

    assert claim(job_sid, owner="worker-2") is None
    rival.rollback()
    rival.close()
    assert held is not None
    assert claim(job_sid, owner="worker-2") is not None


def test_an_attempt_counts_when_it_begins(database):
    claimed(added(database))

    assert (row(database)["attempts"], row(database)["state"], row(database)["lease_owner"]) == (
        1,
        "RUNNING",
        "worker-1",
    )


def test_a_job_is_completed_by_its_owner(database):
    job = claimed(added(database))

    db.transact(lambda tx: service.complete(tx, job, now=NOW + SECOND))

    assert (row(database)["state"], row(database)["finished_at"]) == ("COMPLETED", NOW + SECOND)
    assert claim(job.job_sid, now=NOW + timedelta(days=1)) is None


def test_a_lease_that_has_expired_goes_to_the_next_and_the_first_owners_effects_roll_back(database):
    stale = claimed(added(database))
    fresh = claimed(stale.job_sid, now=NOW + rules.LEASE)

    def finish(tx: Transaction) -> None:
        tx.run("INSERT INTO customers VALUES ('cus_1', 'PERSON', 'Ada', 'a@b.c', NULL, %(now)s, %(now)s)", now=NOW)
        service.complete(tx, stale, now=NOW)

    with pytest.raises(LeaseLost):
        db.transact(finish)

    assert database.execute("SELECT * FROM customers") == []
    assert (fresh.lease_token > stale.lease_token, fresh.attempts) == (True, 2)
    db.transact(lambda tx: service.complete(tx, fresh, now=NOW))


def test_a_lease_that_still_runs_is_not_taken_over(database):
    job = claimed(added(database))

    assert claim(job.job_sid, owner="worker-2", now=NOW + rules.LEASE - SECOND) is None


def test_a_fence_that_looks_only_at_the_state_would_let_the_stale_owner_finish(database):
    stale = claimed(added(database))
    claimed(stale.job_sid, now=NOW + rules.LEASE)
    unfenced = "UPDATE jobs SET attempts = attempts WHERE job_sid = %(job_sid)s AND state = 'RUNNING'"
    fenced = unfenced + " AND lease_token = %(lease_token)s"

    def finds(query: str) -> int:
        lease = {"job_sid": stale.job_sid, "lease_token": stale.lease_token}
        return db.transact(lambda tx: tx.run(query, **lease))

    assert (finds(unfenced), finds(fenced)) == (1, 0)


def test_a_stale_owner_cannot_fail_the_job_either(database):
    stale = claimed(added(database))
    claimed(stale.job_sid, now=NOW + rules.LEASE)

    with pytest.raises(LeaseLost):
        db.transact(lambda tx: service.fail(tx, stale, error="late", now=NOW, jitter=0.5))

    assert row(database)["state"] == "RUNNING"
    assert "late" not in str(row(database)["last_error"])


def test_a_failed_job_comes_back_later_with_its_reason(database):
    job = claimed(added(database))

    db.transact(lambda tx: service.fail(tx, job, error="SES: " + "x" * 5000, now=NOW, jitter=0.5))

    found = row(database)
    assert (found["state"], found["due_at"]) == ("FAILED", NOW + 2 * SECOND)
    assert len(str(found["last_error"])) == 2000
    assert claim(job.job_sid, now=NOW) is None
    assert claimed(job.job_sid, now=NOW + 2 * SECOND).attempts == 2


def test_a_job_that_always_fails_dies_with_its_last_attempt(database):
    job_sid, now = added(database), NOW

    for _ in range(MAIL.max_attempts):
        job, now = claimed(job_sid, now=now), now + timedelta(hours=2)
        fail(job, now=now)
        now += timedelta(hours=2)

    assert (row(database)["state"], row(database)["attempts"]) == ("DEAD", MAIL.max_attempts)
    assert claim(job_sid, now=now + timedelta(days=9)) is None


def test_a_job_that_kills_every_worker_dies_of_the_third(database):
    job_sid, now = added(database), NOW

    for _ in range(rules.MAX_WORKER_LOSSES):
        assert claim(job_sid, now=now) is not None
        now += rules.LEASE

    assert claim(job_sid, now=now) is None
    found = row(database)
    assert (found["state"], found["attempts"], found["worker_losses"]) == ("DEAD", 3, 3)
    assert "The worker was lost" in str(found["last_error"])


def test_the_sweep_hints_at_what_is_due_failed_or_abandoned_and_at_nothing_else(database):
    due = NOW + timedelta(hours=3)
    for key in ("waiting", "failed", "abandoned", "done", "held"):
        db.transact(partial(enqueue, key=key))
    db.transact(lambda tx: enqueue(tx, "later", due_at=due + SECOND))
    sids = {entry["job_key"].split(":")[1]: entry["job_sid"] for entry in database.execute("SELECT * FROM jobs")}
    failed, done = claimed(sids["failed"]), claimed(sids["done"])
    claimed(sids["abandoned"])
    fail(failed, now=NOW)
    db.transact(lambda tx: service.complete(tx, done, now=NOW))
    claimed(sids["held"], now=due - SECOND)
    wanted = {sids[key] for key in ("waiting", "failed", "abandoned")}
    hints()

    count = db.transact(lambda tx: service.hint_claimable(tx, now=due, limit=100))

    assert (count, set(hints())) == (3, wanted)


def test_the_sweep_hints_at_no_more_than_it_is_told_to(database):
    for number in range(15):
        db.transact(partial(enqueue, key=str(number)))
    hints()

    assert db.transact(lambda tx: service.hint_claimable(tx, now=NOW, limit=12)) == 12
    assert len(hints()) == 12
