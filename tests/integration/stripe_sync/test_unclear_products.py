"""
What is paid for a product that does not say what it licenses waits, visibly, until the vendor has corrected it.

Whether the correction or the payment comes first, the same is left behind.
"""

from __future__ import annotations

import random
from itertools import permutations
from typing import Any

import pytest

from keywright.platform import db
from keywright.stripe_sync.models import Ignored, Parked, Processed
from tests.buyers import Buyer
from tests.purchases import AIR_GAPPED, fold, left, observation, one_time_events, rehearse, subscription_events
from tests.stripe_events import BEGINNING, MONTH, event, one_time_price, product, subscription, tiered_price

CLEAR = {"usage_based": "false"}

WRONG = {
    "says too little": {"usage_based": None},
    "contradicts itself": {"fee_structure": "one_time"},
    "misspells": {"air_gapped": "no"},
}


def told(product_id: str, *, right: dict[str, Any], wrong: dict[str, Any], at: int) -> bytes:
    """Return the event of a product that is corrected."""
    old = product(product_id, metadata={**right, **wrong})["metadata"]
    corrected = product(product_id, metadata=right)
    previous = {"metadata": {name: old[name] for name in wrong}}
    return event("product.updated", corrected, at=at, previous=previous)


def unclear(product_id: str, *, right: dict[str, Any], wrong: dict[str, Any]) -> bytes:
    """Return the event of a product that says something wrong."""
    return event("product.created", product(product_id, metadata={**right, **wrong}), at=BEGINNING - 1000)


def rented(buyer: Buyer, wrong: dict[str, Any]) -> tuple[list[bytes], bytes]:
    """Return a subscription to such a product, and the correction that comes later."""
    events = [unclear("prod_unlimited", right={}, wrong=wrong), *subscription_events(buyer)[1:]]
    right = {name: product()["metadata"][name] for name in wrong}
    return events, told("prod_unlimited", right=right, wrong=wrong, at=BEGINNING + 500)


def bought(buyer: Buyer, wrong: dict[str, Any]) -> tuple[list[bytes], bytes]:
    """Return a one-time purchase of such a product, and the correction that comes later."""
    events = [unclear("prod_air", right=AIR_GAPPED, wrong=wrong), *one_time_events(buyer)[1:]]
    return events, told("prod_air", right=AIR_GAPPED, wrong=wrong, at=BEGINNING + 500)


def waits() -> set[str | None]:
    rows = db.transact(lambda tx: tx.all("SELECT waiting_for FROM stripe_event_work WHERE state = 'PARKED'"))
    return {row["waiting_for"] for row in rows}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_subscription_waits_for_its_product_and_is_licensed_when_that_is_corrected(
    buyer: Buyer, wrong: dict[str, Any]
) -> None:
    events, correction = rented(buyer, wrong)

    fold(*events)
    waiting, mirrored, before = waits(), left()["subscriptions"], left()["licenses"]
    assert fold(correction) == [Processed()]

    assert waiting == {"product:prod_unlimited"}
    assert [row["status"] for row in mirrored] == ["active"]
    assert before == []
    assert [(row["state"], row["kind"]) for row in left()["licenses"]] == [("ACTIVE", "UNLIMITED")]
    assert waits() == set()


def test_a_one_time_purchase_waits_for_its_product_and_is_licensed_when_that_is_corrected(
    one_time_buyer: Buyer,
) -> None:
    events, correction = bought(one_time_buyer, {"air_gapped": "false"})

    found = fold(*events)
    fold(correction)

    assert found[-1] == Parked("product:prod_air")
    assert [(row["state"], row["kind"]) for row in left()["licenses"]] == [("ACTIVE", "AIR_GAPPED")]


def test_a_correction_that_corrects_nothing_leaves_it_waiting(buyer: Buyer) -> None:
    events, _ = rented(buyer, {"air_gapped": "no"})
    still = product(metadata={"air_gapped": "perhaps"})

    fold(*events, event("product.updated", still, at=BEGINNING + 100, previous={"metadata": {"air_gapped": "no"}}))

    assert waits() == {"product:prod_unlimited"}
    assert left()["licenses"] == []


def test_in_every_order_the_same_is_left_behind(buyer: Buyer) -> None:
    events, correction = rented(buyer, {"usage_based": None})
    every = [*events, correction]
    expected = rehearse(every)
    orders = random.Random(7).sample(list(permutations(every)), 60)

    assert [order for order in orders if rehearse(order) != expected] == []
    assert [row["state"] for row in expected["licenses"]] == ["ACTIVE"]
    assert {row["state"] for row in expected["events"]} == {"PROCESSED"}
    assert [row["kind"] for row in expected["jobs"]].count("licensing.send-issued") == 1


def test_a_one_time_purchase_ends_the_same_in_every_order(one_time_buyer: Buyer) -> None:
    events, correction = bought(one_time_buyer, {"air_gapped": None})
    expected = rehearse([*events, correction])

    assert [order for order in permutations([*events, correction]) if rehearse(order) != expected] == []
    assert [row["state"] for row in expected["licenses"]] == ["ACTIVE"]


def test_a_later_change_of_a_product_that_was_clear_changes_no_file_that_is_due(buyer: Buyer) -> None:
    """Only the next period is for what the product has become; the one that was paid is not."""
    events = subscription_events(buyer)
    later = product(metadata={"limit_seats": "99"})
    fold(event("product.updated", later, at=BEGINNING + 500, previous={"metadata": {"limit_seats": "25"}}), *events)
    first = left()["files"]

    assert fold(*subscription_events(buyer)) == [None] * len(events)
    assert left()["files"] == first


def test_a_renewal_of_a_product_that_became_unclear_is_licensed_as_it_was_sold_before(buyer: Buyer) -> None:
    fold(*subscription_events(buyer), spoiled(at=BEGINNING + 500))
    renewed = subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id), price_id="price_tiered", period=1)

    assert fold(event("customer.subscription.updated", renewed, at=BEGINNING + MONTH)) == [Processed()]
    assert [row["current_seq"] for row in left()["licenses"]] == [BEGINNING + MONTH]


def spoiled(*, at: int) -> bytes:
    """Return the event in which a product that was clear becomes unclear."""
    return event("product.updated", product(metadata={"usage_based": None}), at=at, previous={"metadata": CLEAR})


@pytest.mark.parametrize("at", [BEGINNING - 1000, BEGINNING - 500, BEGINNING])
def test_a_mistake_that_is_never_corrected_makes_no_difference_in_any_order(buyer: Buyer, at: int) -> None:
    """Not even one in the second in which the product was made, or in which the period began."""
    every = [*subscription_events(buyer), spoiled(at=at)]
    expected = rehearse(every)
    orders = random.Random(9).sample(list(permutations(every)), 60)

    assert [order for order in orders if rehearse(order) != expected] == []
    assert [row["state"] for row in expected["licenses"]] == ["ACTIVE"]
    assert {row["state"] for row in expected["events"]} == {"PROCESSED"}


def into_the_family() -> tuple[bytes, bytes]:
    """Return a product of no family, and the event in which it becomes ours."""
    nobodys = product("prod_unlimited", metadata={"product_family": None})
    previous = {"metadata": {"product_family": None}}
    return (
        event("product.created", nobodys, at=BEGINNING - 1000),
        event("product.updated", product(), at=BEGINNING - 500, previous=previous),
    )


def test_a_product_that_becomes_ours_brings_its_prices_and_what_was_bought_of_it(buyer: Buyer) -> None:
    foreign, joined = into_the_family()
    priced = event("price.created", tiered_price(with_tiers=False), at=BEGINNING - 900)

    first = fold(foreign, priced, *subscription_events(buyer)[2:])
    fold(joined)

    assert [type(outcome) for outcome in first[:2]] == [Ignored, Ignored]
    assert [row["state"] for row in left()["licenses"]] == ["ACTIVE"]
    assert {row["state"] for row in left()["events"]} == {"PROCESSED"}


def test_when_it_became_ours_makes_no_difference(buyer: Buyer) -> None:
    foreign, joined = into_the_family()
    events = [foreign, joined, observation(tiered_price()), *subscription_events(buyer)[2:]]
    expected = rehearse(events)
    orders = random.Random(8).sample(list(permutations(events)), 60)

    assert [order for order in orders if rehearse(order) != expected] == []
    assert {row["state"] for row in expected["events"]} == {"PROCESSED"}


def test_a_price_of_somebody_elses_product_stays_ignored_however_often_that_changes(one_time_buyer: Buyer) -> None:
    theirs = product("prod_air", metadata={"product_family": "cloud"})
    fold(event("product.created", theirs, at=BEGINNING - 1000), event("price.created", one_time_price()))

    fold(event("product.updated", {**theirs, "name": "Renamed"}, at=BEGINNING, previous={"name": "Harbor"}))

    rows = db.transact(lambda tx: tx.all("SELECT state, attempts FROM stripe_event_work ORDER BY created_at"))
    assert {(row["state"], row["attempts"]) for row in rows} == {("IGNORED", 1)}
