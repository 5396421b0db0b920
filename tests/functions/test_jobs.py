from __future__ import annotations

import pytest

from keywright.jobs import oversight, service
from keywright.jobs.kinds import Kind, Payload
from keywright.jobs.models import Failure
from keywright.platform import clock, db
from tests.api import Api
from tests.conftest import Database
from tests.functions.test_customers import signed_in
from tests.integration.identity.people import audited, run
from tests.queue_hints import take

KIND = Kind("test.kind", Payload(frozenset({"n"})))


def staff(role: str = "ADMIN") -> str:
    _, token = signed_in("staff@example.com")
    run("UPDATE users SET role = %(role)s WHERE email = 'staff@example.com'", role=role)
    run("DELETE FROM jobs")
    return token


def added(key: str, *, kind: Kind = KIND) -> str:
    db.transact(lambda tx: service.enqueue(tx, kind, {"n": key}, key=key, now=clock.now()))
    return str(rows_of(kind, key))


def rows_of(kind: Kind, key: str) -> object:
    query = "SELECT job_sid FROM jobs WHERE job_key = %(key)s"
    row = db.transact(lambda tx: tx.one(query, key=f"{kind.name}:{key}"))
    assert row is not None
    return row["job_sid"]


def died(key: str) -> str:
    job_sid = added(key)
    job = db.transact(lambda tx: service.claim(tx, job_sid=job_sid, owner="worker-1", now=clock.now()))
    assert job is not None
    refused = Failure("MessageRejected", "MessageRejected: no", permanent=True)
    db.transact(lambda tx: service.fail(tx, job, error=refused, now=clock.now(), jitter=0.5))
    return job_sid


@pytest.mark.parametrize("role", ["ADMIN", "MANAGER"])
def test_staff_lists_jobs_the_newest_first_page_by_page(call: Api, role: str) -> None:
    token = staff(role)
    sids = [added(str(number)) for number in range(3)]

    first = call("jobs", "GET", "/v1/jobs", token=token, query={"limit": "2"}).json
    second = call("jobs", "GET", "/v1/jobs", token=token, query={"limit": "2", "cursor": first["next_cursor"]}).json

    assert [job["job_sid"] for job in first["items"] + second["items"]] == sorted(sids, reverse=True)
    assert second["next_cursor"] is None


def test_jobs_are_found_by_kind_state_and_age(call: Api) -> None:
    token = staff()
    dead, waiting = died("1"), added("2", kind=Kind("test.other", KIND.payload))
    run("UPDATE jobs SET created_at = created_at - INTERVAL 1 HOUR WHERE job_sid = %(sid)s", sid=waiting)

    def found(**query: str) -> list[str]:
        answer = call("jobs", "GET", "/v1/jobs", token=token, query=query)
        assert answer.status == 200, answer
        return [job["job_sid"] for job in answer.json["items"]]

    assert found(state="DEAD") == [dead]
    assert found(kind="test.other") == [waiting]
    assert found(min_age_s="1800") == [waiting]
    assert found(kind="test.other", state="DEAD") == []


@pytest.mark.parametrize("query", [{"state": "GONE"}, {"min_age_s": "-1"}, {"kind": "A B"}, {"limit": "0"}])
def test_a_question_that_makes_no_sense_is_refused(call: Api, query: dict[str, str]) -> None:
    answer = call("jobs", "GET", "/v1/jobs", token=staff(), query=query)

    assert (answer.status, answer.json["code"]) == (422, "request-invalid")


def test_a_job_is_shown_with_what_became_of_its_attempts(call: Api) -> None:
    token, job_sid = staff(), died("1")

    job = call("jobs", "GET", f"/v1/jobs/{job_sid}", token=token).json

    assert (job["state"], job["payload"], job["last_error"]) == ("DEAD", {"n": "1"}, "MessageRejected: no")
    (attempt,) = job["history"]
    assert (attempt["attempt"], attempt["worker"], attempt["outcome"]) == (1, "worker-1", "FAILED")
    assert (attempt["error_class"], attempt["message"]) == ("MessageRejected", "MessageRejected: no")
    assert attempt["started_at"] <= attempt["ended_at"]


def test_a_dead_job_is_retried_audited_and_hinted_at_and_its_history_stays(call: Api) -> None:
    token, job_sid = staff(), died("1")
    take("JOBS")

    answer = call("jobs", "POST", f"/v1/jobs/{job_sid}/retry", token=token)

    assert (answer.status, answer.json["state"], answer.json["attempts"]) == (200, "PENDING", 0)
    assert audited()[-1] == "JOB_RETRIED"
    assert take("JOBS") == [job_sid]
    _, history = db.transact(lambda tx: oversight.get_job(tx, job_sid=job_sid))
    assert len(history) == 1


def test_a_job_that_waits_is_not_retried(call: Api) -> None:
    token, job_sid = staff(), added("1")

    answer = call("jobs", "POST", f"/v1/jobs/{job_sid}/retry", token=token)

    assert (answer.status, answer.json["code"]) == (409, "job-not-retryable")
    assert "JOB_RETRIED" not in audited()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/jobs"), ("GET", "/v1/jobs/job_1"), ("POST", "/v1/jobs/job_1/retry")]
)
def test_jobs_are_for_staff_only(call: Api, method: str, path: str) -> None:
    _, token = signed_in("ada@example.com")

    customer = call("jobs", method, path, token=token)
    nobody = call("jobs", method, path)

    assert (customer.status, customer.json["code"]) == (403, "role-required")
    assert (nobody.status, nobody.json["code"]) == (401, "access-token-invalid")


@pytest.mark.parametrize("path", ["/v1/jobs/job_absent", "/v1/jobs/job_absent/retry"])
def test_an_absent_job_is_not_found(call: Api, path: str) -> None:
    answer = call("jobs", "POST" if path.endswith("retry") else "GET", path, token=staff())

    assert (answer.status, answer.json["code"]) == (404, "job-not-found")


def test_a_retry_that_cannot_have_its_key_back_is_refused(call: Api, database: Database) -> None:
    token, first = staff(), died("1")
    run("UPDATE jobs SET key_scope = 'ACTIVE' WHERE job_sid = %(sid)s", sid=first)
    db.transact(lambda tx: service.enqueue(tx, KIND, {"n": "1"}, key="1", now=clock.now()))

    answer = call("jobs", "POST", f"/v1/jobs/{first}/retry", token=token)

    assert (answer.status, answer.json["code"]) == (409, "job-not-retryable")
