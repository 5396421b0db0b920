"""What a license includes: who comes near it is told once, and beyond a hard limit nothing is taken."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from functions.job_worker.executors import JOBS
from tests.integration.metering.sealed import rows
from tests.metered import BEGAN, add_metered, usage

AT = BEGAN + timedelta(days=1)
LIMITED = {"limit_api_calls": "10", "limit_storage": "10", "limit_level": "10", "limit_users": "2"}
HARD = {**LIMITED, "usage_limits": "hard"}


def told(kind: str) -> list[dict[str, str]]:
    return [json.loads(row["payload"]) for row in rows("SELECT payload FROM jobs WHERE kind = %(kind)s", kind=kind)]


def test_each_mark_of_a_limit_is_told_once_in_a_period(clean_database):
    license_ = add_metered(metadata=LIMITED)

    for number in range(4):
        license_.report(usage(f"e{number}", 4, at=AT), now=AT)

    marks = [(payload["percent"], payload["used"]) for payload in told("metering.send-threshold")]
    events = [payload["event"] for payload in told("metering.publish-event")]
    assert sorted(marks) == [("100", "12"), ("80", "8")]
    assert events == ["usage.threshold_reached"] * 2


def test_the_owner_is_mailed(clean_database, mailbox):
    license_ = add_metered(metadata=LIMITED)
    license_.report(usage("a", 9, at=AT), now=AT)
    (payload,) = told("metering.send-threshold")

    JOBS["metering.send-threshold"](payload)

    mail = mailbox()[0]
    assert (mail["to"], "80 %" in mail["subject"], "9 of 10 api_calls" in mail["text"]) == (
        ["ada@example.com"] if isinstance(mail["to"], list) else "ada@example.com",
        True,
        True,
    )


def test_a_soft_limit_refuses_nothing(clean_database):
    license_ = add_metered(metadata=LIMITED)

    assert license_.report(usage("a", 100, at=AT), now=AT) == [("accepted", None)]


@pytest.mark.parametrize(
    ("meter", "values", "outcomes"),
    [
        ("api_calls", [6, 5, 4, 1], ["accepted", "rejected", "accepted", "rejected"]),
        ("storage", [9, 11, 10], ["accepted", "rejected", "accepted"]),
        ("level", [11, 9], ["rejected", "accepted"]),
    ],
)
def test_beyond_a_hard_limit_events_are_refused(clean_database, meter, values, outcomes):
    license_ = add_metered(metadata=HARD)
    batch = [usage(f"e{n}", value, at=AT + timedelta(seconds=n), meter=meter) for n, value in enumerate(values)]

    results = license_.report(*batch, now=AT + timedelta(minutes=1))

    assert [outcome for outcome, _ in results] == outcomes
    assert {code for _, code in results} == {None, "limit-reached"}


def test_the_same_thing_again_is_within_a_hard_limit_of_different_things(clean_database):
    license_ = add_metered(metadata=HARD)
    people = ["ann", "bob", "cem", "ann"]
    batch = [usage(f"e{n}", None, at=AT, meter="users", properties={"user_id": who}) for n, who in enumerate(people)]

    results = license_.report(*batch, now=AT)

    assert [outcome for outcome, _ in results] == ["accepted", "accepted", "rejected", "accepted"]


def test_a_batch_that_met_a_hard_limit_can_be_sent_again(clean_database):
    license_ = add_metered(metadata=HARD)
    batch = [usage("a", 10, at=AT), usage("b", 1, at=AT)]
    license_.report(*batch, now=AT)

    assert license_.report(*batch, now=AT) == [("duplicate", None), ("rejected", "limit-reached")]
