"""Reporting usage and reading it, through the handler."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from keywright.platform import clock, db
from keywright.platform.clock import to_wire
from tests.api import Answer, Api
from tests.buyers import add_buyer
from tests.metered import Metered, add_metered, usage

PATH = "/v1/usage"


@pytest.fixture
def now() -> datetime:
    return clock.now().replace(microsecond=0)


@pytest.fixture
def license_(clean_database: object, now: datetime) -> Metered:
    return add_metered(began_at=now - timedelta(days=3))


def report(call: Api, license_: Metered, *items: dict[str, Any]) -> Answer:
    return call("usage", "POST", PATH, body={"events": list(items)}, token=license_.token)


def outcomes(answer: Answer) -> list[tuple[str, str | None]]:
    return [(result["outcome"], result.get("code")) for result in answer.json["results"]]


def stored(license_: Metered) -> list[dict[str, Any]]:
    query = "SELECT event_id, quantity FROM usage_events WHERE license_sid = %(sid)s ORDER BY event_id"
    return db.transact(lambda tx: tx.all(query, sid=license_.license_sid))


def test_each_event_of_a_batch_has_its_own_result(call, license_, now):
    report(call, license_, usage("known", 1, at=now), usage("other", 1, at=now))

    answer = report(
        call,
        license_,
        usage("new", 2, at=now),
        usage("known", "1.0", at=now),
        usage("other", 3, at=now),
        usage("new", 2, at=now),
        usage("odd", 1, at=now, meter="bandwidth"),
        usage("less", -1, at=now),
        usage("early", 1, at=now + timedelta(minutes=6)),
        usage("old", 1, at=now - timedelta(days=36)),
        {"id": "timeless", "meter": "api_calls", "value": 1, "time": "yesterday"},
        {"id": "more", "meter": "api_calls", "value": 1, "time": to_wire(now), "color": "red"},
        {"id": "with space", "meter": "api_calls", "value": 1, "time": to_wire(now)},
    )

    assert answer.status == 200
    assert outcomes(answer) == [
        ("accepted", None),
        ("duplicate", None),
        ("conflict", None),
        ("duplicate", None),
        ("rejected", "meter-unknown"),
        ("rejected", "value-invalid"),
        ("rejected", "time-out-of-range"),
        ("rejected", "time-out-of-range"),
        ("rejected", "time-invalid"),
        ("rejected", "event-invalid"),
        ("rejected", "id-invalid"),
    ]
    assert [row["event_id"] for row in stored(license_)] == ["known", "new", "other"]


def test_a_batch_whose_answer_was_lost_is_sent_again_without_harm(call, license_, now):
    batch = [usage(f"e{n}", n, at=now) for n in range(1000)]

    first, again = report(call, license_, *batch), report(call, license_, *batch)

    assert set(outcomes(first)) == {("accepted", None)}
    assert set(outcomes(again)) == {("duplicate", None)}
    assert len(stored(license_)) == 1000


def test_values_are_exact_however_many_digits_they_have(call, license_, now):
    event = f'{{"id": "a", "meter": "api_calls", "value": 123456789012345.123456789012, "time": "{to_wire(now)}"}}'
    body = f'{{"events": [{event}]}}'

    answer = call("usage", "POST", PATH, body=body, token=license_.token)

    assert outcomes(answer) == [("accepted", None)]
    assert stored(license_)[0]["quantity"] == Decimal("123456789012345.123456789012")


@pytest.mark.parametrize("form", ["one", "list", "batch"])
def test_cloud_events_are_taken_and_told_apart_by_their_source(call, license_, now, form):
    def cloud_event(source: str) -> dict[str, Any]:
        event = {"specversion": "1.0", "id": "1", "source": source, "type": "api_calls", "time": to_wire(now)}
        return {**event, "data": {"value": 2}}

    bodies: dict[str, Any] = {
        "one": cloud_event("/a"),
        "list": [cloud_event("/a"), cloud_event("/b"), cloud_event("/a")],
        "batch": {"events": [cloud_event("/a"), cloud_event("/b"), cloud_event("/a")]},
    }
    media = {"one": "application/cloudevents+json", "list": "application/cloudevents-batch+json"}
    headers = {"content-type": media.get(form, "application/json")}

    answer = call("usage", "POST", PATH, body=json.dumps(bodies[form]), token=license_.token, headers=headers)

    expected = ["accepted", "accepted", "duplicate"] if form != "one" else ["accepted"]
    assert [outcome for outcome, _ in outcomes(answer)] == expected


@pytest.mark.parametrize("body", ["[]", "{}", '{"events": []}', '{"events": {}}', '"x"', '{"events": [], "more": 1}'])
def test_a_body_without_events_is_refused_as_a_whole(call, license_, body):
    answer = call("usage", "POST", PATH, body=body, token=license_.token)

    assert (answer.status, answer.json["code"]) == (422, "usage-batch-invalid")


def test_more_than_a_thousand_events_are_refused(call, license_, now):
    answer = report(call, license_, *(usage(f"e{n}", at=now) for n in range(1001)))

    assert (answer.status, answer.json["code"]) == (422, "usage-batch-invalid")


def test_an_access_token_is_no_license_and_a_license_no_access_token(call, license_, now):
    by_user = call("usage", "POST", PATH, body={"events": [usage("a", at=now)]}, token=license_.buyer.token)
    by_license = call("usage", "GET", PATH, query={"license_sid": license_.license_sid}, token=license_.token)

    assert (by_user.status, by_user.json["code"]) == (401, "license-refused")
    assert (by_license.status, by_license.json["code"]) == (401, "access-token-invalid")


@pytest.mark.parametrize(("state", "status"), [("REVOKED", 401), ("SUSPENDED", 401), ("RESTRICTED", 200)])
def test_a_license_that_does_not_count_reports_nothing(call, license_, now, *, database, state, status):
    database.execute("UPDATE licenses SET state = %s", state)

    answer = report(call, license_, usage("a", at=now))

    assert answer.status == status
    assert status == 401 or outcomes(answer) == [("rejected", "license-restricted")]
    assert stored(license_) == []


def test_a_license_without_meters_is_told_that_it_is_not_usage_based(call, clean_database, now):
    license_ = add_metered(began_at=now - timedelta(days=3), metadata={"meters": ""})

    answer = report(call, license_, usage("a", at=now))

    assert outcomes(answer) == [("rejected", "license-not-usage-based")]


def test_the_owner_reads_usage_by_hour_day_and_month_with_an_estimate(call, license_, now):
    hour = now.replace(minute=0, second=0)
    report(
        call,
        license_,
        usage("a", "1.5", at=hour - timedelta(hours=2)),
        usage("b", 2, at=hour - timedelta(hours=1)),
        usage("c", 7, at=hour, meter="storage"),
    )

    def read(**query: str) -> Any:
        asked = {"license_sid": license_.license_sid, **query}
        return call("usage", "GET", PATH, query=asked, token=license_.buyer.token).json

    hours = read(meter="api_calls")
    assert [(item["quantity"], item["state"]) for item in hours["items"]] == [("1.5", "BUFFERED"), ("2", "BUFFERED")]
    day = read(grain="month", **{"from": to_wire(hour - timedelta(hours=1, minutes=30))})
    assert {(item["meter"], item["quantity"]) for item in day["items"]} >= {("api_calls", "2"), ("storage", "7")}
    (estimate,) = hours["estimates"]
    assert (estimate["quantity"], estimate["currency"], estimate["amount_minor"] is not None) == ("3.5", "usd", True)
    first = read(limit="1")
    rest = read(cursor=first["next_cursor"])
    assert len(first["items"]) + len(rest["items"]) == 3


def test_somebody_elses_usage_answers_exactly_as_absent_usage(call, license_):
    stranger = add_buyer("eve")

    foreign = call("usage", "GET", PATH, query={"license_sid": license_.license_sid}, token=stranger.token)
    absent = call("usage", "GET", PATH, query={"license_sid": "lic_absent"}, token=stranger.token)

    assert (foreign.status, foreign.json["code"]) == (absent.status, absent.json["code"])
    assert (foreign.status, foreign.json["code"]) == (404, "usage-license-not-found")
