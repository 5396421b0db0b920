"""Windows are sealed once and exactly, whatever comes into them afterwards."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from keywright.metering import rules, window_repository
from keywright.metering import service as metering
from keywright.platform import db
from tests.integration.metering.sealed import rows, seal
from tests.metered import BEGAN, MONTH, PERIOD, Metered, add_metered, usage

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
# The period begins inside of an hour, and this hour is a whole one.
TEN = (BEGAN + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def license_(clean_database: object) -> Metered:
    return add_metered()


@pytest.mark.parametrize("meter", ["api_calls", "storage", "level", "jobs", "users"])
def test_the_revisions_of_a_period_add_up_to_what_was_used_in_it(license_, meter):
    values = [5, 2, 9, 1, 7, 3]
    for number, value in enumerate(values):
        at = TEN + (number % 3) * HOUR + number * MINUTE
        counting = meter in {"jobs", "users"}
        properties = {"properties": {"user_id": value % 4}} if meter == "users" else {}
        event = usage(f"e{number}", None if counting else value, at=at, meter=meter, **properties)
        license_.report(event, now=TEN + 4 * HOUR + number * MINUTE)
        if number in {1, 2, 4}:
            seal(TEN + 5 * HOUR + number * MINUTE)

    sealed = seal(TEN + 6 * HOUR)

    start, end = PERIOD
    place = {"license_sid": license_.license_sid, "meter": meter, "start": start, "end": end}
    whole = db.transact(lambda tx: metering.quantity(tx, **place, stored_before=TEN + 7 * HOUR))
    assert whole > 0
    assert sum(revision["quantity"] for revision in sealed) == whole
    assert len({revision["identifier"] for revision in sealed}) == len(sealed) > 3


def test_a_window_waits_for_its_hour_to_end_unless_too_much_is_in_it(license_):
    license_.report(usage("a", at=TEN), now=TEN + MINUTE)
    early = seal(TEN + 2 * MINUTE)
    for batch in range(rules.PUSH_EVENTS // 1000):
        license_.report(*(usage(f"{batch}-{n}", at=TEN) for n in range(1000)), now=TEN + 3 * MINUTE)

    full = seal(TEN + 4 * MINUTE)

    assert early == []
    assert [(revision["state"], revision["quantity"]) for revision in full] == [("SEALED", rules.PUSH_EVENTS + 1)]


def test_identifiers_are_the_same_for_the_same_fact_and_the_rows_behind_them_are_known(license_):
    license_.report(usage("a", 1, at=TEN), now=TEN)
    (first,) = seal(TEN + 2 * HOUR)
    license_.report(usage("b", 2, at=TEN + MINUTE), now=TEN + 2 * HOUR)

    _, second = seal(TEN + 3 * HOUR)

    named = rules.identifier(license_sid=license_.license_sid, meter="api_calls", window_start=TEN, revision=2)
    assert second["identifier"] == named != first["identifier"]
    assert (second["quantity"], second["window_start"]) == (2, TEN)
    behind = db.transact(lambda tx: window_repository.list_events_of(tx, identifier=named))
    assert [event.event_id for event in behind] == ["b"]


def test_windows_are_cut_where_a_billing_period_ends(license_):
    end = BEGAN + MONTH
    license_.renew(end, end + MONTH)
    license_.report(usage("before", 1, at=end - MINUTE), usage("after", 2, at=end), now=end + MINUTE)

    sealed = seal(end + 10 * MINUTE + HOUR)

    assert [(row["window_start"], row["quantity"]) for row in sealed] == [
        (end.replace(minute=0, second=0), 1),
        (end, 2),
    ]


def test_a_period_that_ends_early_cuts_windows_that_were_begun(license_, database):
    license_.report(usage("a", 1, at=TEN + 5 * MINUTE), usage("b", 2, at=TEN + 40 * MINUTE), now=TEN + 41 * MINUTE)
    database.execute("UPDATE subscriptions SET ended_at = %s, status = 'canceled'", TEN + 20 * MINUTE)

    sealed = seal(TEN + 2 * HOUR)

    windows = rows("SELECT window_start, window_end, sum_quantity FROM usage_windows ORDER BY window_start")
    assert [(row["window_start"], row["window_end"], row["sum_quantity"]) for row in windows] == [
        (TEN, TEN + 20 * MINUTE, 1),
        (TEN + 20 * MINUTE, TEN + HOUR, 2),
    ]
    assert sum(row["quantity"] for row in sealed) == Decimal(3)


def test_what_is_used_after_the_end_of_a_subscription_is_refused(license_, database):
    database.execute("UPDATE subscriptions SET ended_at = %s, status = 'canceled'", TEN)
    database.execute("UPDATE licenses SET state = 'CANCELED'")

    outcomes = license_.report(usage("last", at=TEN - MINUTE), usage("more", at=TEN + MINUTE), now=TEN + HOUR)

    assert outcomes == [("accepted", None), ("rejected", "license-ended")]


def test_sealing_again_changes_nothing(license_):
    license_.report(usage("a", at=TEN), now=TEN)
    once = seal(TEN + 2 * HOUR)

    assert seal(TEN + 3 * HOUR) == once
