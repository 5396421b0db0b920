"""A period of usage, added up as it was known at any time."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from keywright.metering import service as metering
from keywright.platform import db
from tests.metered import PERIOD, Metered, add_metered, usage
from tests.purchases import NOW

SECOND = timedelta(seconds=1)


@pytest.fixture
def license_(clean_database: object) -> Metered:
    return add_metered()


def quantity(license_: Metered, meter: str, stored_before: datetime) -> Decimal:
    start, end = PERIOD
    return db.transact(
        lambda tx: metering.quantity(
            tx, license_sid=license_.license_sid, meter=meter, start=start, end=end, stored_before=stored_before
        )
    )


def test_every_aggregation_is_exact(license_):
    license_.report(
        usage("a", "0.1"),
        usage("b", "0.2"),
        usage("c", 5, meter="storage", at=NOW - SECOND),
        usage("d", 3, meter="storage"),
        usage("e", 7, meter="level"),
        usage("f", 9, meter="level", at=NOW - SECOND),
        usage("g", None, meter="jobs"),
        usage("h", None, meter="jobs"),
        *(usage(f"u{n}", None, meter="users", properties={"user_id": n % 2}) for n in range(5)),
    )

    found = {
        meter: quantity(license_, meter, NOW + SECOND) for meter in ("api_calls", "storage", "level", "jobs", "users")
    }

    assert found == {
        "api_calls": Decimal("0.3"),
        "storage": Decimal(5),
        "level": Decimal(7),
        "jobs": Decimal(2),
        "users": Decimal(2),
    }


def test_what_comes_after_a_cut_is_not_before_it_whatever_its_sender_s_clock_says(license_):
    cut = NOW + timedelta(hours=1)
    license_.report(usage("a", 1))
    billed = quantity(license_, "api_calls", cut)

    license_.report(usage("late", 10), now=NOW + SECOND)

    assert billed == quantity(license_, "api_calls", cut) == Decimal(1)
    assert quantity(license_, "api_calls", cut + SECOND) == Decimal(11)


def test_a_license_that_never_reported_has_used_nothing(license_):
    assert quantity(license_, "api_calls", NOW) == Decimal(0)
