"""Each kind of job does what its name says, once; a job that fails is rescheduled, and its hint is done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keywright.jobs import rules, service
from keywright.jobs.kinds import Kind, Payload
from keywright.jobs.models import LeaseLost
from keywright.licensing.notices import issued_mail
from keywright.platform import clock, db
from tests.buyers import add_buyer
from tests.conftest import Database
from tests.purchases import fold, left, open_checkout, subscription_events
from tests.queue_hints import batch, drop, failed, take

# What newer code has enqueued, as far as the worker of this test is concerned.
TOMORROW = Kind("tomorrow.do-it", Payload(), max_attempts=12)
# It may take a day, so that what runs out is its lease.
LONG = Kind("long.do-it", Payload(), timeout_s=86400)


@pytest.fixture
def buyer(clean_database):
    drop("JOBS")
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    return buyer


def enqueue(kind: Kind | str, **payload: str) -> None:
    db.transact(lambda tx: service.enqueue(tx, kind, payload, key="test", now=clock.now()))


def run(invoke) -> list[str]:
    """Run whatever is hinted at; return the messages reported as failed."""
    return failed(invoke("job_worker", batch(*({"job_sid": sid} for sid in take("JOBS")))))


def job(database: Database, kind: str) -> dict[str, Any]:
    (row,) = database.execute("SELECT * FROM jobs WHERE kind = %s", kind)
    return row


def test_an_issued_license_is_mailed_and_announced(invoke, mailbox, buyer, database):
    fold(*subscription_events(buyer))

    assert run(invoke) == []
    states = {row["kind"]: row["state"] for row in database.execute("SELECT kind, state FROM jobs")}
    assert (states["licensing.send-issued"], states["licensing.publish-event"]) == ("COMPLETED", "COMPLETED")
    mail = mailbox()[0]
    assert (mail["to"], mail["subject"]) == ("ada@example.com", "Your license for ada.example.com")


def test_the_mail_names_the_domain_and_leads_to_the_license(buyer):
    fold(*subscription_events(buyer))
    (license_,) = left()["licenses"]

    mail = db.transact(lambda tx: issued_mail(tx, license_sid=license_["license_sid"], portal_url="https://portal"))

    assert mail is not None
    assert (mail.to, mail.subject) == ("ada@example.com", "Your license for ada.example.com")
    assert f"https://portal/licenses/{license_['license_sid']}" in mail.text


def test_nobody_is_written_to_about_a_license_that_is_gone(invoke, clean_database, database):
    take("JOBS")
    enqueue("licensing.send-issued", license_sid="lic_gone")

    run(invoke)

    assert job(database, "licensing.send-issued")["state"] == "COMPLETED"


def test_a_job_that_fails_is_rescheduled_with_its_reason_and_its_hint_is_done(invoke, clean_database, database):
    take("JOBS")
    enqueue("catalog.fetch-price", price_id="price_1")

    assert run(invoke) == []

    found = job(database, "catalog.fetch-price")
    assert (found["state"], found["attempts"]) == ("FAILED", 1)
    assert "Stripe" in str(found["last_error"]) or "Connection" in str(found["last_error"])
    assert found["due_at"] > found["created_at"]


def test_a_kind_that_nobody_knows_yet_is_tried_again(invoke, clean_database, database):
    take("JOBS")
    enqueue(TOMORROW)

    assert run(invoke) == []
    assert (job(database, "tomorrow.do-it")["state"], job(database, "tomorrow.do-it")["last_error"]) == (
        "FAILED",
        "UnknownKind: Nobody here does 'tomorrow.do-it'.",
    )


def test_a_job_that_fails_every_time_is_dead_in_the_end(invoke, clean_database, database):
    take("JOBS")
    enqueue(TOMORROW)
    (sid,) = take("JOBS")

    for _ in range(TOMORROW.max_attempts + 2):
        invoke("job_worker", batch({"job_sid": sid}))
        database.execute("UPDATE jobs SET due_at = created_at WHERE state = 'FAILED'")

    assert (job(database, "tomorrow.do-it")["state"], job(database, "tomorrow.do-it")["attempts"]) == (
        "DEAD",
        TOMORROW.max_attempts,
    )


def test_hints_for_finished_and_unknown_jobs_are_no_work(invoke, buyer, database):
    fold(*subscription_events(buyer))
    sids = take("JOBS")
    invoke("job_worker", batch(*({"job_sid": sid} for sid in sids)))
    before = database.execute("SELECT job_sid, attempts FROM jobs")

    answer = invoke("job_worker", batch(*({"job_sid": sid} for sid in [*sids, "job_unknown"])))

    assert failed(answer) == []
    assert database.execute("SELECT job_sid, attempts FROM jobs") == before


def test_a_hint_that_cannot_be_read_is_reported_and_its_batch_mates_are_done(invoke, clean_database, database):
    take("JOBS")
    enqueue("licensing.send-issued", license_sid="lic_gone")
    (sid,) = take("JOBS")

    answer = invoke("job_worker", batch("{", {"job_sid": sid}, json.dumps({"wrong": "key"})))

    assert failed(answer) == ["message-0", "message-2"]
    assert job(database, "licensing.send-issued")["state"] == "COMPLETED"


def test_effects_and_the_completion_of_a_job_are_committed_together(clean_database, database):
    """A worker whose lease went to another must leave nothing of what it did."""
    take("JOBS")
    enqueue(LONG)
    (sid,) = take("JOBS")
    stale = db.transact(lambda tx: service.claim(tx, job_sid=sid, owner="worker-1", now=clock.now()))
    assert stale is not None
    later = clock.now() + rules.LEASE
    assert db.transact(lambda tx: service.claim(tx, job_sid=sid, owner="worker-2", now=later)) is not None

    def finish_with_effect(tx) -> None:
        enqueue_in(tx)
        service.complete(tx, stale, now=clock.now())

    with pytest.raises(LeaseLost):
        db.transact(finish_with_effect)

    assert [row["kind"] for row in database.execute("SELECT kind FROM jobs")] == ["long.do-it"]


def enqueue_in(tx) -> None:
    service.enqueue(tx, Kind("effect", Payload()), {}, key="effect", now=clock.now())


def test_an_unreachable_bus_keeps_the_announcement_for_later(invoke, buyer, database, monkeypatch):
    monkeypatch.setenv("KEYWRIGHT_EVENT_BUS", "nowhere")
    fold(*subscription_events(buyer))

    run(invoke)

    assert job(database, "licensing.publish-event")["state"] == "FAILED"
    assert "does not exist" in str(job(database, "licensing.publish-event")["last_error"])


@pytest.mark.parametrize(
    "odd", ['{"job_sid": "\\u00e9"}', '{"job_sid": 0}', '{"job_sid": null}', "[" * 30_000, "[]", "0"]
)
def test_a_hint_that_names_no_row_takes_no_other_with_it(invoke, clean_database, database, odd):
    drop("JOBS")
    enqueue("jobs.prune")
    (sid,) = take("JOBS")

    reported = failed(invoke("job_worker", batch(odd, {"job_sid": sid})))

    assert reported == ["message-0"]
    assert job(database, "jobs.prune")["state"] == "COMPLETED"
