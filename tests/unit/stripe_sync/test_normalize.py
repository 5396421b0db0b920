"""Shapes of older API versions and of the pinned one say the same; what Stripe itself has sent is read whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from keywright.billing import payment_rules, rules
from keywright.platform.clock import from_unix
from keywright.stripe_sync.kinds import KINDS
from keywright.stripe_sync.normalize import before, normalize
from keywright.stripe_sync.observing import observe
from keywright.stripe_sync.rules import read_event
from tests.stripe_events import BEGINNING, MONTH, event, invoice, subscription

RECORDED = sorted(Path(os.environ.get("KEYWRIGHT_STRIPE_DATA", "../shared/stripe-data")).glob("events/*.json"))
"""Events that Stripe has sent, of several API versions, where there are any: they are no part of this project."""

OURS = {"product_family": "self_hosted"}


def old_subscription(**details: Any) -> dict[str, Any]:
    """Return a subscription as of 2020-08-27, with a plan and a price, and its period on itself."""
    made = subscription(OURS, customer="cus_1", **details)
    (item,) = made["items"]["data"]
    made.update({edge: item.pop(edge) for edge in ("current_period_start", "current_period_end")})
    item["plan"] = {"id": "price_monthly", "object": "plan"}
    return made


def test_an_old_subscription_reads_like_a_new_one() -> None:
    new = rules.read_subscription(subscription(OURS, customer="cus_1", period=2))

    assert rules.read_subscription(normalize(old_subscription(period=2))) == new


@pytest.mark.parametrize("plan", ["price_monthly", {"id": "price_monthly", "object": "plan"}])
def test_an_item_with_a_plan_and_no_price_reads_like_one_with_a_price(plan: object) -> None:
    old = old_subscription()
    del old["items"]["data"][0]["price"]
    old["items"]["data"][0]["plan"] = plan

    assert rules.read_subscription(normalize(old)).items[0].price_id == "price_monthly"


def test_the_state_before_an_old_update_has_the_old_period() -> None:
    old = old_subscription(period=1)
    previous = {"current_period_start": BEGINNING, "current_period_end": BEGINNING + MONTH, "status": "past_due"}

    observed = observe(
        read_event(event("customer.subscription.updated", old, previous=previous)), KINDS["subscription"]
    )

    assert observed.before is not None
    assert (observed.before.status, observed.state.status) == ("past_due", "active")
    assert observed.before.items[0].current_period_end == from_unix(BEGINNING + MONTH)
    assert observed.state.items[0].current_period_end == from_unix(BEGINNING + 2 * MONTH)


def test_hashes_are_put_together_and_lists_replaced() -> None:
    now = {"a": {"x": 1, "y": 2}, "list": [1, 2], "same": 0, "new": {"k": 1}}

    assert before(now, {"a": {"x": 0}, "list": [1], "new": None}) == {
        "a": {"x": 0, "y": 2},
        "list": [1],
        "same": 0,
        "new": None,
    }


def old_invoice(**details: Any) -> dict[str, Any]:
    made = invoice(OURS, customer="cus_1", parent=None, payments=None)
    line = {"id": "il_1", "amount": 4900, "currency": "usd", "period": {"start": BEGINNING, "end": BEGINNING + MONTH}}
    line |= {"type": "subscription", "price": {"id": "price_monthly"}, "subscription_item": "si_1", "metadata": OURS}
    made |= {"subscription": "sub_1", "payment_intent": "pi_1", "charge": "ch_1", "lines": {"data": [line]}}
    return made | details


@pytest.mark.parametrize("shape", [{}, {"subscription_details": {"metadata": OURS}}, {"subscription": {"id": "sub_1"}}])
def test_an_old_invoice_names_its_subscription_its_payment_and_its_lines_prices(shape: dict[str, Any]) -> None:
    read = normalize(old_invoice(**shape))

    found = rules.read_invoice(read)
    assert (found.subscription_id, found.payment_ids) == ("sub_1", ("pi_1",))
    assert rules.subscription_details(read)["metadata"] == OURS
    assert [(line.price_id, line.subscription_item_id, line.amount) for line in found.lines] == [
        ("price_monthly", "si_1", 4900)
    ]


def test_an_invoice_that_says_paid_by_a_flag_is_paid() -> None:
    assert rules.read_invoice(normalize(old_invoice(status=None, paid=True))).status == "paid"


def test_an_invoice_that_was_paid_by_a_charge_of_old_names_that() -> None:
    assert rules.read_invoice(normalize(old_invoice(payment_intent=None))).payment_ids == ("ch_1",)


def test_an_intent_that_lists_its_charges_names_the_latest() -> None:
    charges = {"data": [{"id": "ch_1", "created": 5}, {"id": "ch_2", "created": 9}]}
    intent = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 1, "currency": "usd"}

    read = payment_rules.read_payment_intent(normalize({**intent, "created": 1, "charges": charges}))

    assert read.latest_charge_id == "ch_2"


def test_what_has_the_pinned_shape_stays_as_it_is() -> None:
    new = subscription(OURS, customer="cus_1")

    assert normalize(new) == new


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_stripe_has_sent_is_read_whole(path: Path) -> None:
    received = json.loads(path.read_text())
    kind = KINDS.get(received["data"]["object"]["object"])
    # The recordings lack what is the same in every event.
    read = read_event(json.dumps({"livemode": False, **received}).encode())

    observed = None if kind is None else observe(read, kind)

    assert (observed is None) == (read.subject["object"] == "customer")


@pytest.mark.parametrize(
    "path", [path for path in RECORDED if ".invoice.paid" in path.name], ids=lambda path: path.stem
)
def test_a_recorded_invoice_gives_its_lines(path: Path) -> None:
    read = rules.read_invoice(normalize(json.loads(path.read_text())["data"]["object"]))

    assert (read.status, read.amount_remaining) == ("paid", 0)
    assert all(line.price_id for line in read.lines)
    assert sum(line.amount for line in read.lines) == read.total


@pytest.mark.parametrize("path", [path for path in RECORDED if "charge" in path.name], ids=lambda path: path.stem)
def test_of_a_recorded_card_there_is_what_its_owner_knows_it_by(path: Path) -> None:
    read = payment_rules.read_charge(normalize(json.loads(path.read_text())["data"]["object"]))

    assert (read.card_brand, len(read.card_last4 or "")) == ("visa", 4)
    assert read.amount_captured == read.amount > 0
