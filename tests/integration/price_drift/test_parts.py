"""Whether Stripe bills a graduated price in one line or in one for each tier, sums are compared."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.platform import clock, db
from keywright.price_drift import service
from tests.buyers import Buyer
from tests.integration.price_drift.bills import PARTS_OF_THIRTEEN, bill, compare, compared, line, uncompared
from tests.stripe_events import BEGINNING, MONTH

FLAT_BY_ITSELF = ((None, 1000), (10, 5000), (3, 38))
FLAT_AT_NOTHING = ((10, 5000), (0, 1000), (3, 38))


def parts(*each: tuple[int | None, int]) -> list[dict[str, Any]]:
    return [
        line(number, amount=amount, price_id="price_tiered", quantity=quantity)
        for number, (quantity, amount) in enumerate(each, start=1)
    ]


@pytest.mark.parametrize("told", [((13, 6038),), PARTS_OF_THIRTEEN, FLAT_BY_ITSELF, FLAT_AT_NOTHING])
def test_an_invoice_matches_in_however_many_lines_it_is_told(ada: Buyer, invoke: Any, database: Any, told: Any):
    bill(ada, *parts(*told))

    assert compare(invoke, database)["state"] == "COMPLETED"

    assert compared(database) == [("il_1", len(told), 13, "ENGINE", 6038, 6038, 1)]
    assert uncompared(database) == {}


@pytest.mark.parametrize("told", [((10, 6000), (3, 39)), ((10, 6000), (4, 38)), ((10, 5000), (3, 38))])
def test_a_split_invoice_that_is_wrong_differs(ada: Buyer, invoke: Any, database: Any, told: Any):
    bill(ada, *parts(*told))

    compare(invoke, database)

    ((line_id, count, _, _, _, actual, matched),) = compared(database)
    assert (line_id, count, actual, matched) == ("il_1", 2, sum(amount for _, amount in told), 0)


def test_lines_of_other_items_and_periods_are_lines_of_their_own(ada: Buyer, invoke: Any, database: Any):
    same: dict[str, Any] = {"price_id": "price_tiered", "amount": 1500}
    bill(ada, line(1, **same), line(2, **same, item="si_2"), line(3, **same, begins=BEGINNING + MONTH))

    compare(invoke, database)

    assert [row[:3] + row[-1:] for row in compared(database)] == [
        ("il_1", 1, 1, 1),
        ("il_2", 1, 1, 1),
        ("il_3", 1, 1, 1),
    ]


def test_parts_are_the_same_ones_in_whatever_order_they_are_told_and_are_compared_once(
    ada: Buyer, invoke: Any, database: Any
):
    bill(ada, *parts(*PARTS_OF_THIRTEEN)[::-1])
    compare(invoke, database)

    again = db.transact(lambda tx: service.compare_invoice(tx, invoice_id="in_9", now=clock.now()))

    assert again is not None
    assert (again.compared, again.uncompared) == ((), ())
    assert compared(database) == [("il_1", 2, 13, "ENGINE", 6038, 6038, 1)]
