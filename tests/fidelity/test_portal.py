"""The billing portal: what a customer may do alone, and what its configuration forbids."""

from __future__ import annotations

from typing import Any

import stripe

from tests.fidelity.shop import Shop


def _open(shop: Shop, subscription: stripe.Subscription, **details: Any) -> str:
    given: Any = {"customer": str(subscription.customer), "return_url": "https://vendor.example/account", **details}
    return shop.client.v1.billing_portal.sessions.create(given).url


def test_a_customer_cancels_and_takes_it_back(shop: Shop) -> None:
    subscription = shop.bought(shop.price())
    url = _open(shop, subscription)

    canceled = shop.browser.post(url, data={"action": "cancel", "subscription": subscription.id})
    ending = shop.client.v1.subscriptions.retrieve(subscription.id)
    shop.browser.post(url, data={"action": "resume", "subscription": subscription.id})
    going_on = shop.client.v1.subscriptions.retrieve(subscription.id)

    assert "Keep subscription" in canceled.text
    assert (ending.status, ending.cancel_at_period_end) == ("active", False)
    assert ending.cancel_at == ending["items"].data[0].current_period_end
    assert (going_on.cancel_at_period_end, going_on.cancel_at) == (False, None)
    assert shop.event_types().count("customer.subscription.updated") == 2


def test_a_customer_changes_the_card_and_sees_the_invoices(shop: Shop) -> None:
    subscription = shop.bought(shop.price())
    url, number = _open(shop, subscription), subscription.latest_invoice.number  # type: ignore[union-attr]

    page = shop.browser.get(url).text
    changed = shop.browser.post(url, data={"action": "card", "card": "4000 0000 0000 0002"})
    refused = shop.browser.post(url, data={"action": "card", "card": "12"})

    after = shop.client.v1.subscriptions.retrieve(subscription.id, {"expand": ["default_payment_method"]})
    assert str(number) in page
    assert "https://vendor.example/account" in page
    assert (changed.status_code, refused.status_code) == (200, 400)
    assert after.default_payment_method.card.last4 == "0002"  # type: ignore[union-attr]


def test_the_configuration_decides_what_is_offered(shop: Shop) -> None:
    subscription = shop.bought(shop.price())
    features: Any = {"invoice_history": {"enabled": True}, "subscription_cancel": {"enabled": False}}
    configuration = shop.client.v1.billing_portal.configurations.create({"features": features})
    url = _open(shop, subscription, configuration=configuration.id)

    page = shop.browser.get(url).text
    forced = shop.browser.post(url, data={"action": "cancel", "subscription": subscription.id})

    assert "Cancel subscription" not in page
    assert forced.status_code == 400
    assert shop.client.v1.subscriptions.retrieve(subscription.id).cancel_at is None


def test_a_configuration_may_end_subscriptions_at_once(shop: Shop) -> None:
    subscription = shop.bought(shop.price())
    features: Any = {"subscription_cancel": {"enabled": True}}
    configurations = shop.client.v1.billing_portal.configurations
    configuration = configurations.create({"features": features})
    configurations.update(
        configuration.id, {"features": {"subscription_cancel": {"mode": "immediately", "enabled": True}}}
    )

    url = _open(shop, subscription, configuration=configuration.id)
    shop.browser.post(url, data={"action": "cancel", "subscription": subscription.id})

    assert shop.client.v1.subscriptions.retrieve(subscription.id).status == "canceled"
    assert [found.is_default for found in configurations.list().data] == [True, False]


def test_nobody_reaches_another_customers_subscription_and_links_expire(shop: Shop) -> None:
    own, other = shop.bought(shop.price()), shop.bought(shop.price())
    url = _open(shop, own)

    forced = shop.browser.post(url, data={"action": "cancel", "subscription": other.id})
    shop.control("clock", advance_s=3600)
    late = shop.browser.get(url)

    assert (forced.status_code, late.status_code) == (400, 410)
    assert shop.client.v1.subscriptions.retrieve(other.id).cancel_at is None
