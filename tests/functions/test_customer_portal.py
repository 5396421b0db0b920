"""The way into Stripe's portal: where nobody has saved its settings, and for customers whom it does not let in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from stripe import StripeClient

from infra.cli.stripe_portal import find_portal, set_up_portal
from tests.api import Answer, Api
from tests.checkouts import Shop, buy, control, open_shop, pay, tell


@pytest.fixture
def shop(stripe_account: StripeClient, clean_database: Any, database: Any) -> Iterator[Shop]:
    """A buyer in an account without a default configuration of the portal, and without one of an earlier test."""
    for left in stripe_account.v1.billing_portal.configurations.list({"active": True}).auto_paging_iter():
        if not left.is_default:
            stripe_account.v1.billing_portal.configurations.update(left.id, {"active": False})
    control("portal", default="none")
    yield open_shop(stripe_account, database)
    control("portal", default="there")


def enter(call: Api, shop: Shop) -> Answer:
    return call("checkout", "POST", "/v1/billing-portal-sessions", body={}, token=shop[1].token)


def test_an_account_without_a_configuration_is_named_as_such(call: Api, shop: Shop):
    answer = enter(call, shop)

    assert (answer.status, answer.json["code"]) == (503, "portal-not-configured")


def test_what_setup_makes_lets_customers_in(call: Api, shop: Shop):
    stripe, _, _ = shop

    made, again = set_up_portal(stripe), set_up_portal(stripe)
    answer = enter(call, shop)

    configuration = find_portal(stripe)
    assert configuration is not None
    assert (made, again) == (f"portal {configuration.id}: made", f"portal {configuration.id}: there")
    assert configuration.features.payment_method_update.enabled
    assert configuration.features.subscription_cancel.enabled
    assert answer.status == 201
    assert httpx.get(answer.json["url"]).status_code == 200


def test_the_plans_of_what_setup_made_follow_the_catalog(shop: Shop):
    stripe, _, _ = shop
    set_up_portal(stripe)
    product = stripe.v1.products.create({"name": "Harbor", "metadata": {"product_family": "self_hosted"}})
    intervals: tuple[Any, ...] = ("month", "year", "month")
    first, yearly, second = [
        stripe.v1.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": 4900, "recurring": {"interval": interval}}
        ).id
        for interval in intervals
    ]

    said = set_up_portal(stripe)

    configuration = find_portal(stripe)
    assert configuration is not None
    assert said == f"portal {configuration.id}: changed (plans)"
    assert configuration.features.subscription_update.enabled
    products = {each.product: set(each.prices) for each in configuration.features.subscription_update.products or ()}
    # Stripe takes one price for each interval of a product.
    assert products[product.id] in ({first, yearly}, {second, yearly})
    assert set_up_portal(stripe) == f"portal {configuration.id}: there"


def test_what_was_saved_in_the_dashboard_is_left_alone(call: Api, shop: Shop):
    stripe, _, _ = shop
    set_up_portal(stripe)
    control("portal", default="there")

    said = set_up_portal(stripe)

    configuration = find_portal(stripe)
    assert configuration is not None
    assert configuration.is_default
    assert said == f"portal {configuration.id}: there (the account's own)"
    assert enter(call, shop).status == 201
    assert call("checkout", "POST", "/v1/billing-portal-sessions", token=shop[1].token).status == 201


def test_a_customer_whom_stripe_does_not_know_is_told_so(call: Api, shop: Shop, database: Any):
    control("portal", default="there")
    database.execute("UPDATE customers SET stripe_customer_id = 'cus_gone'")

    answer = enter(call, shop)

    assert (answer.status, answer.json["code"]) == (409, "portal-refused")


def test_an_end_that_a_customer_asks_for_there_is_seen_here_and_taken_back_too(call: Api, shop: Shop, database: Any):
    stripe, ada, price_id = shop
    control("portal", default="there")
    buy(call, ada, price_id)
    pay(stripe, database)
    tell(stripe, "checkout.session.completed", "customer.subscription.created")
    (bought,) = call("subscriptions", "GET", "/v1/subscriptions", token=ada.token).json["items"]
    url, path = enter(call, shop).json["url"], f"/v1/subscriptions/{bought['subscription_id']}"

    seen = []
    for action in ("cancel", "resume"):
        httpx.post(url, data={"action": action, "subscription": bought["subscription_id"]}).raise_for_status()
        tell(stripe, "customer.subscription.updated")
        seen.append(call("subscriptions", "GET", path, token=ada.token).json)

    ending, going_on = seen
    assert bought["cancel_at"] is None
    assert (ending["status"], ending["cancel_at"]) == ("active", bought["items"][0]["current_period_end"])
    assert ending["canceled_at"] is not None
    assert (going_on["cancel_at"], going_on["canceled_at"]) == (None, None)
