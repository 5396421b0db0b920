"""Changes in the middle of a period: prorated to the second, now or later or not at all."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from infra.local.stripe.periods import period_end
from infra.local.stripe.resources.billing.proration import share
from tests.fidelity.billing import (
    DAY_S,
    HOUR_S,
    current,
    customer,
    invoices,
    period,
    statuses,
    subscribe,
    types,
    wait,
)
from tests.fidelity.shop import Shop

WEEK: Any = {"interval": "week"}


def _weekly(shop: Shop, amount: int = 7000, **details: Any) -> stripe.Subscription:
    return subscribe(shop, customer(shop), shop.price(recurring=WEEK, unit_amount=amount), **details)


def _item(subscription: stripe.Subscription, index: int = 0) -> str:
    return str(subscription["items"]["data"][index]["id"])


def _half_way(shop: Shop, subscription: stripe.Subscription) -> int:
    """Return the exact middle of the period, and let time pass until then."""
    start, end = period(subscription)
    middle = int(start.timestamp() + end.timestamp()) // 2
    shop.control("clock", to=middle)
    return middle


def _change(shop: Shop, subscription: stripe.Subscription, at: int, **details: Any) -> stripe.Subscription:
    given: Any = {"proration_date": at, **details}
    return shop.client.v1.subscriptions.update(subscription.id, given)


def test_more_units_are_prorated_on_the_next_invoice(shop: Shop) -> None:
    subscription = _weekly(shop)
    middle = _half_way(shop, subscription)

    changed = _change(shop, subscription, middle, items=[{"id": _item(subscription), "quantity": 3}])
    waiting = shop.client.v1.invoice_items.list({"pending": True}).data
    shop.control("clock", to=int(period(subscription)[1].timestamp()) + HOUR_S)

    renewal = invoices(shop, subscription)[-1]
    assert changed["items"]["data"][0]["quantity"] == 3
    assert sorted(item.amount for item in waiting) == [-3500, 10_500]
    assert all(item.proration for item in waiting)
    assert (renewal.total, renewal.status) == (21_000 + 7000, "paid")
    details = [line.parent.subscription_item_details for line in renewal.lines.data if line.parent]
    assert [each.proration for each in details if each].count(True) == 2


def test_always_invoice_charges_the_difference_now(shop: Shop) -> None:
    subscription = _weekly(shop)
    middle = _half_way(shop, subscription)

    _change(
        shop,
        subscription,
        middle,
        items=[{"id": _item(subscription), "quantity": 2}],
        proration_behavior="always_invoice",
    )

    invoice = invoices(shop, subscription)[-1]
    assert (invoice.total, invoice.status, invoice.billing_reason) == (3500, "paid", "subscription_update")
    assert sorted(line.amount for line in invoice.lines.data) == [-3500, 7000]
    assert shop.client.v1.invoice_items.list({"pending": True}).data == []


def test_without_proration_only_the_next_period_changes(shop: Shop) -> None:
    subscription = _weekly(shop)
    middle = _half_way(shop, subscription)

    _change(shop, subscription, middle, items=[{"id": _item(subscription), "quantity": 2}], proration_behavior="none")
    wait(shop, days=4)

    assert [invoice.total for invoice in invoices(shop, subscription)] == [7000, 14_000]
    assert "invoiceitem.created" not in types(shop)


def test_a_cheaper_price_leaves_credit_that_later_invoices_use(shop: Shop) -> None:
    subscription = _weekly(shop)
    cheap = shop.price(recurring=WEEK, unit_amount=1000)
    middle = _half_way(shop, subscription)

    _change(
        shop,
        subscription,
        middle,
        items=[{"id": _item(subscription), "price": cheap.id}],
        proration_behavior="always_invoice",
    )
    credit = invoices(shop, subscription)[-1]
    wait(shop, days=4)

    renewal = invoices(shop, subscription)[-1]
    who = str(subscription.customer)
    assert (credit.total, credit.amount_due, credit.status, credit.ending_balance) == (-3000, 0, "paid", -3000)
    assert (renewal.total, renewal.starting_balance, renewal.amount_due) == (1000, -3000, 0)
    assert shop.client.v1.customers.retrieve(who).balance == -2000
    moves = shop.client.v1.customers.balance_transactions.list(who).data
    assert [(move.amount, move.ending_balance) for move in moves] == [(1000, -2000), (-3000, -3000)]


def test_another_interval_starts_the_cycle_over_and_bills_now(shop: Shop) -> None:
    subscription = _weekly(shop)
    yearly = shop.price(recurring={"interval": "year"}, unit_amount=200_000)
    middle = _half_way(shop, subscription)

    changed = _change(shop, subscription, middle, items=[{"id": _item(subscription), "price": yearly.id}])

    invoice = invoices(shop, subscription)[-1]
    start, end = period(changed)
    assert (invoice.total, invoice.status) == (200_000 - 3500, "paid")
    assert abs(changed.billing_cycle_anchor - middle) <= 5
    assert end.timestamp() == period_end(int(start.timestamp()), "year", 1)


def test_an_anchor_of_now_restarts_the_period(shop: Shop) -> None:
    subscription = _weekly(shop)
    middle = _half_way(shop, subscription)

    changed = _change(shop, subscription, middle, billing_cycle_anchor="now", proration_behavior="none")
    wait(shop, days=6, hours=23)
    before = len(invoices(shop, subscription))
    wait(shop, hours=2)

    assert invoices(shop, subscription)[1].total == 7000
    assert abs(period(changed)[0].timestamp() - middle) <= 5
    assert (before, len(invoices(shop, subscription))) == (2, 3)


def test_items_come_and_go(shop: Shop) -> None:
    subscription = _weekly(shop)
    extra = shop.price(recurring=WEEK, unit_amount=700)
    middle = _half_way(shop, subscription)

    added = _change(shop, subscription, middle, items=[{"price": extra.id, "quantity": 2}])
    removed = _change(shop, subscription, middle, items=[{"id": _item(subscription), "deleted": True}])
    with pytest.raises(stripe.InvalidRequestError, match="at least one"):
        _change(shop, subscription, middle, items=[{"id": _item(added, 1), "deleted": True}])

    assert len(added["items"]["data"]) == 2
    assert {item["current_period_end"] for item in added["items"]["data"]} == {int(period(subscription)[1].timestamp())}
    assert [item["price"]["id"] for item in removed["items"]["data"]] == [extra.id]
    amounts = [item.amount for item in shop.client.v1.invoice_items.list({"pending": True}).data]
    assert sorted(amounts) == [-3500, 700]


def test_items_have_routes_of_their_own(shop: Shop) -> None:
    subscription = _weekly(shop)
    extra = shop.price(recurring=WEEK, unit_amount=700)
    items = shop.client.v1.subscription_items

    created = items.create(
        {"subscription": subscription.id, "price": extra.id, "quantity": 2, "proration_behavior": "none"}
    )
    changed = items.update(created.id, {"quantity": 5, "metadata": {"seat": "a"}, "proration_behavior": "none"})
    listed = items.list({"subscription": subscription.id}).data
    gone = items.delete(_item(subscription), {"proration_behavior": "none"})

    assert (changed.quantity, changed.metadata.to_dict()) == (5, {"seat": "a"})
    assert [item.id for item in listed] == [_item(subscription), created.id]
    assert gone.deleted
    assert items.retrieve(created.id).quantity == 5
    with pytest.raises(stripe.InvalidRequestError):
        items.retrieve(_item(subscription))


def test_a_change_that_cannot_be_paid_makes_it_past_due(shop: Shop) -> None:
    subscription = _weekly(shop)
    middle = _half_way(shop, subscription)
    shop.control("cards", customer=str(subscription.customer), behavior="decline")
    more: Any = {"items": [{"id": _item(subscription), "quantity": 2}], "proration_behavior": "always_invoice"}

    with pytest.raises(stripe.CardError):
        _change(shop, subscription, middle, **more, payment_behavior="error_if_incomplete")
    unchanged = current(shop, subscription)
    changed = _change(shop, subscription, middle, **more)

    assert (unchanged.status, unchanged["items"]["data"][0]["quantity"]) == ("active", 1)
    assert (changed.status, changed["items"]["data"][0]["quantity"]) == ("past_due", 2)


@pytest.mark.parametrize(
    ("behavior", "status"), [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")]
)
def test_paused_collection_goes_on_renewing_and_collects_nothing(shop: Shop, behavior: str, status: str) -> None:
    subscription = _weekly(shop)
    pause: Any = {"pause_collection": {"behavior": behavior}}
    shop.client.v1.subscriptions.update(subscription.id, pause)

    wait(shop, days=8)
    shop.client.v1.subscriptions.update(subscription.id, {"pause_collection": ""})
    wait(shop, days=7)

    assert [invoice.status for invoice in invoices(shop, subscription)] == ["paid", status, "paid"]
    assert statuses(shop) == ["active"]
    assert "customer.subscription.paused" not in types(shop)


def test_collection_resumes_by_itself(shop: Shop) -> None:
    subscription = _weekly(shop)
    when = shop.account.clock.now() + 10 * DAY_S
    pause: Any = {"behavior": "void", "resumes_at": when}
    shop.client.v1.subscriptions.update(subscription.id, {"pause_collection": pause})

    shop.control("clock", to=when)

    assert current(shop, subscription).pause_collection is None


def test_metadata_changes_say_what_they_replaced(shop: Shop) -> None:
    subscription = _weekly(shop, metadata={"domain": "d1"})

    shop.client.v1.subscriptions.update(subscription.id, {"metadata": {"domain": "d2"}})
    shop.client.v1.subscriptions.update(subscription.id, {"metadata": {"domain": "d2"}})

    updates = shop.client.v1.events.list({"type": "customer.subscription.updated"}).data
    assert [event.to_dict()["data"]["previous_attributes"] for event in updates] == [{"metadata": {"domain": "d1"}}]


@given(amount=st.integers(0, 10**9), quantity=st.integers(0, 1000), whole=st.integers(1, 10**8), cut=st.fractions(0, 1))
def test_a_share_is_exact_and_rounded_once(amount: int, quantity: int, whole: int, cut: Fraction) -> None:
    part = int(whole * cut)
    price = {"billing_scheme": "per_unit", "unit_amount_decimal": str(amount), "transform_quantity": None}

    exact = Fraction(amount * quantity * part, whole)

    assert abs(share(price, quantity, part, whole) - exact) <= Fraction(1, 2)
    assert share(price, quantity, whole, whole) == amount * quantity


def test_rounding_half_a_cent_down_would_be_caught() -> None:
    price = {"billing_scheme": "per_unit", "unit_amount_decimal": "1", "transform_quantity": None}

    assert share(price, 1, 1, 2) == 1 != round(Fraction(1, 2))
