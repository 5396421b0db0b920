"""Having refused usage told again, through the handler: for staff, in bounded calls, with what was done recorded."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from keywright.metering.drift import service as drift
from keywright.platform import clock, db
from tests.api import Answer, Api
from tests.functions.test_customers import signed_in
from tests.functions.test_jobs import staff
from tests.integration.metering.sealed import revisions, rows, seal
from tests.metered import Metered, add_metered, usage
from tests.queue_hints import take

PATH, HOUR = "/v1/usage/retries", timedelta(hours=1)


@pytest.fixture
def now(clean_database: object) -> datetime:
    return clock.now()


@pytest.fixture
def license_(now: datetime) -> Metered:
    """Somebody with usage of two hours that was refused."""
    license_ = add_metered(began_at=now - timedelta(days=3))
    license_.report(*(usage(f"e{n}", 2, at=now - (5 + n) * HOUR) for n in range(2)), now=now - 4 * HOUR)
    for row in seal(now):
        sid = row["identifier"]
        db.transact(lambda tx, sid=sid: drift.reject(tx, identifier=sid, code="no_meter", now=now))  # type: ignore[misc]
    return license_


def retry(call: Api, token: str, key: str | None = None, **body: Any) -> Answer:
    headers = {"Idempotency-Key": key} if key else {}
    return call("usage", "POST", PATH, body=body, token=token, headers=headers)


def test_staff_takes_up_what_was_refused_and_the_job_that_tells_is_called(call, license_):
    token = staff()
    take("JOBS")

    answer = retry(call, token, license_sid=license_.license_sid)

    done = {"retried": 2, "licenses": [{"license_sid": license_.license_sid, "revisions": 2}], "has_more": False}
    assert (answer.status, answer.json) == (200, done)
    assert {row["state"] for row in revisions()} == {"SEALED"}
    assert rows("SELECT kind FROM jobs") == [{"kind": "metering.push"}]
    assert take("JOBS") != []
    (entry,) = rows("SELECT actor_kind, subject_sid, new_value FROM audit_log WHERE action = 'USAGE_RETRIED'")
    assert (entry["actor_kind"], entry["subject_sid"]) == ("USER", license_.license_sid)
    assert json.loads(entry["new_value"]) == {
        "revisions": 2,
        "heard_of": 0,
        "codes": ["no_meter"],
        "quantities": {"api_calls": "4"},
    }


def test_a_repeated_call_gets_the_same_answer_and_does_nothing_more(call, license_):
    token, key = staff(), str(uuid.uuid4())

    first = retry(call, token, key, code="no_meter")
    again = retry(call, token, key, code="no_meter")
    anew = retry(call, token, code="no_meter")

    assert (first.status, first.text) == (200, again.text)
    assert (again.headers["idempotency-replayed"], anew.json["retried"]) == ("true", 0)
    assert len(rows("SELECT audit_id FROM audit_log WHERE action = 'USAGE_RETRIED'")) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "usage-retry-invalid"),
        ({"meter": "api_calls"}, "usage-retry-invalid"),
        ({"code": "dropped-late"}, "usage-retry-invalid"),
        ({"license_sid": ""}, "request-invalid"),
        ({"license": "lic_1"}, "request-invalid"),
    ],
)
def test_a_call_that_says_too_little_or_asks_for_what_is_policy_changes_nothing(call, license_, body, code):
    answer = retry(call, staff(), **body)

    assert (answer.status, answer.json["code"]) == (422, code)
    assert {row["state"] for row in revisions()} == {"REJECTED"}


@pytest.mark.parametrize("name", ["lic_absent", "lic_é"])
def test_what_nobody_knows_is_nothing_to_retry(call, license_, name):
    answer = retry(call, staff(), license_sid=name)

    assert (answer.status, answer.json) == (200, {"retried": 0, "licenses": [], "has_more": False})


def test_owners_cannot_retry(call, license_):
    _, token = signed_in("owner@example.com")

    answer = retry(call, token, license_sid=license_.license_sid)

    assert (answer.status, answer.json["code"]) == (403, "role-required")
    assert {row["state"] for row in revisions()} == {"REJECTED"}
