"""The later life of a subscription."""

from __future__ import annotations

import pytest
import stripe

from tests.fidelity.shop import Shop


def test_canceling_at_once_ends_the_subscription(shop: Shop) -> None:
    subscription = shop.bought(shop.price())

    canceled = shop.client.v1.subscriptions.cancel(subscription.id, {"cancellation_details": {"feedback": "unused"}})

    assert (canceled.status, canceled.cancel_at_period_end) == ("canceled", False)
    assert canceled.ended_at is not None
    assert canceled.cancellation_details is not None
    assert canceled.cancellation_details.feedback == "unused"
    assert shop.event_types()[-1] == "customer.subscription.deleted"
    assert shop.client.v1.subscriptions.list().data == []
    assert [found.id for found in shop.client.v1.subscriptions.list({"status": "all"}).data] == [subscription.id]
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.cancel(subscription.id)


def test_canceling_at_the_period_end_waits_for_it(shop: Shop) -> None:
    subscription = shop.bought(shop.price(recurring={"interval": "week"}))

    marked = shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    previous = shop.client.v1.events.list({"type": "customer.subscription.updated"}).data[0].data.previous_attributes
    shop.control("clock", advance_s=7 * 86_400)

    assert previous is not None
    assert (marked.status, marked.cancel_at) == ("active", subscription["items"]["data"][0]["current_period_end"])
    assert previous["cancel_at_period_end"] is False
    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    assert shop.event_types()[-1] == "customer.subscription.deleted"


def test_a_cancellation_that_was_taken_back_does_not_happen(shop: Shop) -> None:
    subscription = shop.bought(shop.price(recurring={"interval": "day"}))

    for wanted in (True, False):
        shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": wanted})
    shop.control("clock", advance_s=2 * 86_400)

    current = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert (current.status, current.cancel_at, current.canceled_at) == ("active", None, None)


def test_subscriptions_and_invoices_are_found_by_customer(shop: Shop) -> None:
    mine, other = shop.bought(shop.price()), shop.bought(shop.price())

    listed = shop.client.v1.subscriptions.list({"customer": str(mine.customer)}).data
    invoices = shop.client.v1.invoices.list({"subscription": other.id, "status": "paid"}).data

    assert [found.id for found in listed] == [mine.id]
    assert [found.customer for found in invoices] == [other.customer]
