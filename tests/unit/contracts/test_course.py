"""Where a subscription's days begin and end, and what its changes bill."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from keywright.catalog.models import Tier
from keywright.contracts.course import calendar
from keywright.contracts.course.changes import Change, ChangeKind, Course, PausePolicy
from keywright.contracts.course.charges import charge, no_usage
from keywright.contracts.course.terms import (
    Every,
    Pricing,
    PricingInvalid,
    Scheme,
    Terms,
    UsageType,
    check_pricing,
    from_text,
    to_text,
)
from keywright.contracts.course.walk import follow


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def terms(amount: int = 3000, **given: Any) -> Terms:
    usual: dict[str, Any] = {
        "plan_sid": "pln_1",
        "plan_version": 1,
        "plan_name": "Pro",
        "product_id": "prod_1",
        "currency": "eur",
        "every": Every.MONTH,
        "interval_count": 1,
        "usage_type": UsageType.LICENSED,
        "meter": None,
        "quantity": 1,
        "pricing": Pricing(Scheme.PER_UNIT, Decimal(amount)),
    }
    return Terms(**{**usual, **given})


def course(*changes: Change, zone: str = "UTC", policy: PausePolicy = PausePolicy.SHIFT, until: str) -> Course:
    return follow("csub_1", changes, where=calendar.zone(zone), policy=policy, until=at(until))


def started(moment: str, **given: Any) -> Change:
    return Change(1, ChangeKind.STARTED, at(moment), terms(**given))


def periods(found: Course) -> list[tuple[str, str]]:
    return [(str(bill.start), str(bill.end)) for bill in found.bills]


@pytest.mark.parametrize(
    ("anchor", "months", "expected"),
    [
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2027, 1, 31), 2, date(2027, 3, 31)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
    ],
)
def test_months_are_counted_from_the_anchor(anchor: date, months: int, expected: date) -> None:
    assert calendar.months_after(anchor, months) == expected


def test_the_31st_comes_back_after_a_short_month() -> None:
    found = course(started("2027-01-31T09:00"), until="2027-04-30T00:00")

    assert periods(found) == [
        ("2027-01-31", "2027-02-28"),
        ("2027-02-28", "2027-03-31"),
        ("2027-03-31", "2027-04-30"),
        ("2027-04-30", "2027-05-31"),
    ]


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("Europe/Madrid", date(2027, 3, 28), "2027-03-27T23:00"),
        ("Europe/Madrid", date(2027, 3, 29), "2027-03-28T22:00"),
        # The clock there goes from midnight to one: the day begins with the skip.
        ("America/Havana", date(2027, 3, 14), "2027-03-14T05:00"),
        # And in autumn it is midnight twice: the day begins with the first.
        ("America/Havana", date(2027, 11, 7), "2027-11-07T04:00"),
        ("Pacific/Auckland", date(2027, 7, 1), "2027-06-30T12:00"),
    ],
)
def test_a_day_begins_at_midnight_where_the_customer_is(zone: str, day: date, begins: str) -> None:
    assert calendar.begins(day, calendar.zone(zone)) == at(begins)
    assert calendar.day_of(at(begins), calendar.zone(zone)) == day


def test_an_unknown_zone_is_refused() -> None:
    for name in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(calendar.TimeZoneUnknown):
            calendar.zone(name)


def test_a_later_look_adds_bills_and_changes_none() -> None:
    changes = (
        started("2027-01-31T09:00"),
        Change(2, ChangeKind.PAUSED, at("2027-02-10T09:00")),
        Change(3, ChangeKind.RESUMED, at("2027-02-20T09:00")),
        Change(4, ChangeKind.PLAN_CHANGED, at("2027-04-05T09:00"), terms(9000)),
    )

    looks = [course(*changes, until=f"2027-{month:02}-15T00:00").bills for month in range(2, 13)]

    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(looks))
    assert len(looks[-1]) > len(looks[0])


@pytest.mark.parametrize(
    ("policy", "second"),
    [(PausePolicy.SHIFT, ("2027-03-11", "2027-04-11")), (PausePolicy.KEEP, ("2027-03-01", "2027-04-01"))],
)
def test_a_pause_shifts_the_cycle_or_keeps_it(policy: PausePolicy, second: tuple[str, str]) -> None:
    pause = Change(2, ChangeKind.PAUSED, at("2027-02-10T09:00"))
    resume = Change(3, ChangeKind.RESUMED, at("2027-02-20T09:00"))

    found = course(started("2027-02-01T00:00"), pause, resume, policy=policy, until="2027-03-20T00:00")

    assert periods(found)[1] == second


def test_what_is_left_of_the_old_plan_is_given_back_by_days() -> None:
    change = Change(2, ChangeKind.PLAN_CHANGED, at("2027-04-16T15:00"), terms(6000))

    found = course(started("2027-04-01T09:00"), change, until="2027-04-20T00:00")
    billed = charge(found.bills[1], usage=no_usage)

    assert [line.amount_minor for line in billed.lines] == [-1500, 3000]
    assert (billed.total_minor, billed.lines[0].proration, found.bills[1].corrects) == (
        1500,
        True,
        found.bills[0].billing_key,
    )


def test_terms_survive_their_text() -> None:
    tiers = (Tier(10, Decimal("12.5"), None), Tier(None, None, Decimal(99)))
    some = terms(pricing=Pricing(Scheme.TIERED, None, "graduated", tiers))

    assert from_text(to_text(some)) == some


@pytest.mark.parametrize(
    "pricing",
    [
        Pricing(Scheme.FLAT),
        Pricing(Scheme.PER_UNIT, Decimal(-1)),
        Pricing(Scheme.TIERED, None, "graduated"),
        Pricing(Scheme.TIERED, None, "guess", (Tier(None, Decimal(1), None),)),
        Pricing(Scheme.TIERED, None, "volume", (Tier(5, Decimal(1), None), Tier(5, Decimal(1), None))),
        Pricing(Scheme.TIERED, None, "volume", (Tier(5, Decimal(1), None),)),
        Pricing(Scheme.TIERED, None, "volume", (Tier(None, None, None),)),
    ],
)
def test_a_pricing_that_leaves_an_amount_open_is_refused(pricing: Pricing) -> None:
    with pytest.raises(PricingInvalid):
        check_pricing(pricing)
