"""What comes after the bill goes the way that the product's policy says, and the bill can be recomputed as it was."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from keywright.metering import rules
from keywright.metering import service as metering
from keywright.platform import db
from tests.integration.metering.sealed import rows, seal
from tests.metered import BEGAN, MONTH, add_metered, usage

MINUTE = timedelta(minutes=1)
END = BEGAN + MONTH
BILLED = END + rules.CLOSE_AFTER


def late_revision(policy: str) -> dict[str, Any]:
    """Bill a period with one event, and have another come a day later."""
    license_ = add_metered(metadata={"late_usage": policy})
    license_.report(usage("in time", 5, at=END - MINUTE) | {"id": "in-time"}, now=END - MINUTE)
    license_.renew(END, END + MONTH)
    seal(BILLED)
    license_.report(usage("late", 3, at=END - 2 * MINUTE), now=END + timedelta(days=1))
    first, second = seal(END + timedelta(days=1, minutes=10))
    assert first["quantity"] == 5
    return {**second, "of": license_.license_sid}


@pytest.mark.parametrize(
    ("policy", "route", "state", "code"),
    [
        ("BILL_NEXT", "METER", "SEALED", None),
        ("ADJUST", "INVOICE", "SEALED", None),
        ("DROP_AND_RECORD", "METER", "REJECTED", "dropped-late"),
        ("", "METER", "SEALED", None),
    ],
)
def test_the_policy_of_the_product_decides(clean_database, policy, route, state, code):
    late = late_revision(policy)

    assert (late["quantity"], late["route"], late["state"], late["code"]) == (3, route, state, code)
    assert late["late_policy"] == (policy or "BILL_NEXT")
    is_next = late["counted_at"] >= END
    assert is_next == (policy in {"BILL_NEXT", ""})


def test_the_billed_period_is_recomputed_exactly_as_it_was_billed(clean_database):
    late = late_revision("BILL_NEXT")
    (period,) = rows("SELECT billed_at FROM usage_periods WHERE billed_at IS NOT NULL")

    def used(cut: datetime) -> Decimal:
        place: dict[str, Any] = {"license_sid": str(late["of"]), "meter": "api_calls", "start": BEGAN, "end": END}
        return db.transact(lambda tx: metering.quantity(tx, **place, stored_before=cut))

    assert (used(period["billed_at"]), used(END + timedelta(days=2))) == (Decimal(5), Decimal(8))


def test_late_usage_of_a_subscription_that_has_ended_is_invoiced(clean_database, database):
    license_ = add_metered()
    license_.report(usage("a", 5, at=END - timedelta(days=1)), now=END - timedelta(days=1))
    seal(BILLED)
    database.execute("UPDATE subscriptions SET ended_at = %s, status = 'canceled'", END)

    license_.report(usage("late", 3, at=END - timedelta(days=1)), now=END + timedelta(days=1))
    *_, late = seal(END + timedelta(days=1, minutes=10))

    assert (late["route"], late["quantity"], late["late_policy"]) == ("INVOICE", 3, "ADJUST")
    assert rows("SELECT kind FROM jobs WHERE kind = 'metering.invoice'") != []
