"""An invoice is compared as far as it can be, line by line; what waits for its price is compared when that is there."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.jobs import failures
from keywright.platform import clock
from keywright.price_drift.models import PriceAwaited
from keywright.pricing.models import PriceTiersMissing
from tests.api import Api
from tests.buyers import Buyer, add_buyer
from tests.integration.price_drift.bills import bill, compare, compared, jobs_of, line, uncompared
from tests.purchases import fold, observation
from tests.queue_hints import batch, failed
from tests.stripe_events import event, price, tiered_price

MONTHLY = line(2, amount=4900, price_id="price_monthly", item="si_2")
TIERED = line(1, amount=1500, price_id="price_tiered")
RIGHT = (("il_1", 1, 1, "ENGINE", 1500, 1500, 1), ("il_2", 1, 1, "ENGINE", 4900, 4900, 1))


def forget_the_tiers(database: Any) -> None:
    database.execute("DELETE FROM price_tiers")


def test_a_line_whose_tiers_are_missing_has_the_job_come_again_and_is_compared_then(
    ada: Buyer, invoke: Any, database: Any
):
    forget_the_tiers(database)
    bill(ada, TIERED, MONTHLY)
    began = clock.now()

    job = compare(invoke, database)

    # On a slow machine the pause is over before the worker is through, and it tries again.
    assert (job["state"], job["attempts"] >= 1) == ("FAILED", True)
    assert job["due_at"].replace(tzinfo=None) > began.replace(tzinfo=None)
    assert "price_tiered" in job["last_error"]
    assert (compared(database), uncompared(database)) == ([RIGHT[1]], {"il_1": "TIERS_MISSING"})
    assert "catalog.fetch-price:price_tiered:in_9" in [
        each["job_key"] for each in jobs_of(database, "catalog.fetch-price")
    ]

    fold(observation(tiered_price(), at=1_790_000_500))
    job = compare(invoke, database)

    assert job["state"] == "COMPLETED"
    assert (compared(database), uncompared(database)) == ([*RIGHT], {})


def test_the_price_itself_wakes_the_comparison_when_the_job_was_given_up(ada: Buyer, invoke: Any, database: Any):
    forget_the_tiers(database)
    bill(ada, TIERED)
    database.execute("UPDATE jobs SET attempts = max_attempts - 1 WHERE kind = 'price_drift.compare'")
    assert compare(invoke, database)["state"] == "DEAD"

    fold(observation(tiered_price(), at=1_790_000_500))
    (woken,) = [job for job in jobs_of(database, "price_drift.compare") if job["state"] == "PENDING"]
    assert failed(invoke("job_worker", batch({"job_sid": woken["job_sid"]}))) == []

    assert (compared(database), uncompared(database)) == ([RIGHT[0]], {})


def test_a_price_that_changes_nothing_for_anybody_wakes_nobody(ada: Buyer, database: Any):
    fold(observation(tiered_price(), at=1_790_000_500))

    assert [job["job_key"] for job in jobs_of(database, "price_drift.compare") if ":evt" in job["job_key"]] == []


@pytest.mark.parametrize(
    ("problem", "verdict"),
    [(PriceAwaited(""), failures.Verdict.RETRY), (PriceTiersMissing(""), failures.Verdict.PERMANENT)],
)
def test_what_the_job_says_is_tried_again_and_what_the_engine_says_would_not_be(problem: Exception, verdict: Any):
    assert failures.classify(problem) is verdict


def test_each_line_is_judged_by_itself_and_none_is_left_out_silently(call: Api, ada: Buyer, invoke: Any, database: Any):
    odd: dict[str, Any] = {
        "billing_scheme": "tiered",
        "tiers_mode": "graduated",
        "transform_quantity": {"divide_by": 5, "round": "up"},
    }
    tiers = tiered_price()["tiers"]
    fold(event("price.created", price("price_odd", **odd, unit_amount=None, unit_amount_decimal=None, tiers=tiers)))
    bill(
        ada,
        MONTHLY,
        line(3, amount=1, price_id="price_nobody_knows", item="si_3"),
        line(4, amount=1, price_id="price_odd", item="si_4"),
        line(5, amount=1, price_id="price_monthly", item="si_5", quantity=-1),
        line(6, amount=1, price_id="price_monthly", item="si_6", currency="eur"),
        line(7, amount=1, price_id="price_monthly", item="si_7", quantity=None),
        line(8, amount=1, price_id="price_monthly", item="si_8", proration=True),
        {**line(9, amount=1, price_id="price_monthly"), "parent": None},
    )

    job = compare(invoke, database)

    assert job["state"] == "FAILED"
    assert compared(database) == [RIGHT[1]]
    assert uncompared(database) == {
        "il_3": "PRICE_UNKNOWN",
        "il_4": "PRICE_UNSUPPORTED",
        "il_5": "QUANTITY_INVALID",
        "il_6": "CURRENCY_NOT_OFFERED",
        "il_7": "QUANTITY_MISSING",
        "il_8": "PRORATION",
        "il_9": "ADDED_BY_HAND",
    }


def test_staff_see_what_was_not_compared_beside_the_match_rate(call: Api, ada: Buyer, invoke: Any, database: Any):
    boss = add_buyer("boss")
    database.execute("UPDATE users SET role = 'ADMIN' WHERE user_sid = %s", boss.user_sid)
    forget_the_tiers(database)
    bill(ada, TIERED, MONTHLY, line(8, amount=1, price_id="price_monthly", item="si_8", proration=True))
    compare(invoke, database)

    seen = call("invoices", "GET", "/v1/price-drift", token=boss.token).json
    first = call("invoices", "GET", "/v1/price-drift/uncompared", token=boss.token, query={"limit": "1"}).json
    rest = {"cursor": first["next_cursor"]}
    second = call("invoices", "GET", "/v1/price-drift/uncompared", token=boss.token, query=rest).json
    future = call(
        "invoices", "GET", "/v1/price-drift/uncompared", token=boss.token, query={"since": "2999-01-01T00:00Z"}
    )

    assert (seen["compared"], seen["matched"], seen["match_rate"], seen["uncompared"]) == (1, 1, "1.000000", 2)
    assert seen["uncompared_by_reason"] == [
        {"reason": "PRORATION", "lines": 1},
        {"reason": "TIERS_MISSING", "lines": 1},
    ]
    (waiting,), (prorated,) = first["items"], second["items"]
    assert (waiting["line_id"], waiting["reason"], waiting["actual_minor"]) == ("il_1", "TIERS_MISSING", 1500)
    assert "tiers" in waiting["detail"]
    assert (prorated["line_id"], prorated["reason"], second["next_cursor"]) == ("il_8", "PRORATION", None)
    assert future.json["items"] == []
    assert call("invoices", "GET", "/v1/price-drift/uncompared", token=ada.token).status == 403
