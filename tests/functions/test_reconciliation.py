"""Staff see how we stand with Stripe and may have another look; nobody else may."""

from __future__ import annotations

from typing import Any

import pytest

from infra.manifest import SCHEDULES
from keywright.platform import db
from tests.api import Api
from tests.buyers import Buyer, add_buyer
from tests.queue_hints import batch, drop, take

PATH = "/v1/reconciliation"
KINDS = ["event-gap", "object-sweep", "license-sweep", "stuck-work"]


def staff(name: str, role: str) -> Buyer:
    person = add_buyer(name)
    update = "UPDATE users SET role = %(role)s WHERE user_sid = %(sid)s"
    db.transact(lambda tx: tx.run(update, role=role, sid=person.user_sid))
    return person


@pytest.fixture
def manager(clean_database: Any) -> Buyer:
    drop("JOBS")
    return staff("mia", "MANAGER")


def test_before_anything_ran_every_kind_is_shown_as_never_done(call: Api, manager: Buyer):
    answer = call("reconciliation", "GET", PATH, token=manager.token)

    assert answer.status == 200
    assert [item["kind"] for item in answer.json["items"]] == KINDS
    assert all(item["last_success_at"] is None and item["lag_s"] is None for item in answer.json["items"])
    assert (answer.json["drift"], answer.json["refetches_of_last_day"]) == ([], 0)


def test_a_look_that_staff_begin_is_audited_carried_out_and_shown(call: Api, invoke: Any, database: Any):
    admin = staff("ada", "ADMIN")
    drop("JOBS")

    begun = call("reconciliation", "POST", PATH, body={"kind": "license-sweep"}, token=admin.token)

    assert (begun.status, begun.json["kind"], begun.json["state"]) == (200, "license-sweep", "RUNNING")
    (entry,) = database.execute("SELECT * FROM audit_log WHERE action = 'RECONCILIATION_STARTED'")
    assert (entry["actor_sid"], entry["subject_sid"]) == (admin.user_sid, begun.json["run_sid"])
    while jobs := take("JOBS"):
        invoke("job_worker", batch(*({"job_sid": sid} for sid in jobs)))
    shown = call("reconciliation", "GET", PATH, token=admin.token).json["items"][2]
    assert (shown["state"], shown["cursor"], shown["last_error"]) == ("COMPLETE", None, None)
    assert shown["last_success_at"] is not None
    assert shown["lag_s"] >= 0


def test_a_look_that_is_under_way_is_not_begun_twice(call: Api, manager: Buyer, database: Any):
    answers = [call("reconciliation", "POST", PATH, body={"kind": "event-gap"}, token=manager.token) for _ in range(2)]

    assert answers[0].json == answers[1].json
    assert len(database.execute("SELECT run_sid FROM reconciliation_runs")) == 1
    assert len(take("JOBS")) == 1


def test_a_look_that_failed_shows_why_and_is_no_success(call: Api, invoke: Any, manager: Buyer):
    """Stripe does not answer here."""
    call("reconciliation", "POST", PATH, body={"kind": "object-sweep"}, token=manager.token)
    invoke("job_worker", batch(*({"job_sid": sid} for sid in take("JOBS"))))

    shown = call("reconciliation", "GET", PATH, token=manager.token).json["items"][1]

    assert (shown["state"], shown["last_success_at"], shown["checked_through"]) == ("FAILED", None, None)
    assert "stripe-unavailable: " in shown["last_error"]
    assert shown["last_failure_at"] is not None


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {"kind": "event-gap"})])
def test_customers_are_refused(call: Api, manager: Buyer, method: str, body: Any, database: Any):
    somebody = add_buyer("eve")

    refused = call("reconciliation", method, PATH, body=body, token=somebody.token)

    assert (refused.status, refused.json["code"]) == (403, "role-required")
    assert call("reconciliation", method, PATH, body=body).status == 401
    assert database.execute("SELECT run_sid FROM reconciliation_runs") == []


def test_an_unknown_kind_is_refused(call: Api, manager: Buyer):
    refused = call("reconciliation", "POST", PATH, body={"kind": "everything"}, token=manager.token)

    assert (refused.status, refused.json["code"]) == (422, "request-invalid")


def test_every_kind_is_begun_by_a_schedule(invoke: Any, clean_database: Any):
    drop("JOBS")
    begun = {each.payload["kind"] for each in SCHEDULES if "reconciliation" in each.payload.get("kind", "")}
    assert begun == {f"reconciliation.{kind}" for kind in KINDS}

    for kind in sorted(begun):
        invoke("dispatcher", {"do": "enqueue", "kind": kind})
    invoke("job_worker", batch(*({"job_sid": sid} for sid in take("JOBS"))))

    runs = clean_database.execute("SELECT kind FROM reconciliation_runs ORDER BY kind")
    assert [row["kind"] for row in runs] == sorted(KINDS)
