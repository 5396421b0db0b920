"""Customers, products and prices, through Stripe's own client."""

from __future__ import annotations

from decimal import Decimal

import pytest
import stripe

from tests.fidelity.shop import Shop

TIERS = [
    {"up_to": 10, "unit_amount": 100, "flat_amount": 500},
    {"up_to": "inf", "unit_amount_decimal": "0.5"},
]


def _plain(tier: stripe.Price.Tier) -> dict[str, object]:
    """Return a tier as it was on the wire; the client reads decimals into Decimal."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in tier.to_dict().items()}


def test_a_customer_is_created_changed_and_deleted(shop: Shop) -> None:
    customers = shop.client.v1.customers

    created = customers.create({"email": "ada@example.com", "name": "Ada", "metadata": {"sid": "c1", "old": "x"}})
    changed = customers.update(created.id, {"name": "Ada L", "metadata": {"old": "", "new": "y"}})
    customers.delete(created.id)

    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"sid": "c1", "new": "y"}
    assert customers.retrieve(created.id).deleted is True
    assert shop.event_types() == ["customer.created", "customer.updated", "customer.deleted"]


def test_an_update_tells_what_it_replaced(shop: Shop) -> None:
    product = shop.client.v1.products.create({"name": "Old", "metadata": {"kept": "1", "gone": "2"}})

    shop.client.v1.products.update(product.id, {"name": "New", "metadata": {"gone": "", "added": "3"}})

    event = shop.client.v1.events.list({"types": ["product.updated"]}).data[0]
    assert event.data.previous_attributes is not None
    previous = event.data.previous_attributes.to_dict()
    assert {key: value for key, value in previous.items() if key != "updated"} == {
        "name": "Old",
        "metadata": {"gone": "2", "added": None},
    }


def test_an_update_without_a_change_is_no_event(shop: Shop) -> None:
    product = shop.client.v1.products.create({"name": "Same"})

    shop.client.v1.products.update(product.id, {"name": "Same"})

    assert shop.event_types() == ["product.created"]


def test_tiers_are_shown_only_when_expanded(shop: Shop) -> None:
    price = shop.price(billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS)

    plain = shop.client.v1.prices.retrieve(price.id)
    expanded = shop.client.v1.prices.retrieve(price.id, {"expand": ["tiers", "product"]})
    listed = shop.client.v1.prices.list({"expand": ["data.tiers"]}).data[0]

    assert "tiers" not in plain
    assert plain.unit_amount is None
    assert plain.unit_amount_decimal is None
    assert isinstance(expanded.product, stripe.Product)
    assert expanded.tiers is not None
    assert [_plain(tier) for tier in expanded.tiers] == [
        {
            "flat_amount": 500,
            "flat_amount_decimal": "500",
            "unit_amount": 100,
            "unit_amount_decimal": "100",
            "up_to": 10,
        },
        {
            "flat_amount": None,
            "flat_amount_decimal": None,
            "unit_amount": None,
            "unit_amount_decimal": "0.5",
            "up_to": None,
        },
    ]
    assert listed.tiers == expanded.tiers


def test_a_fraction_of_a_cent_has_no_integer_form(shop: Shop) -> None:
    price = shop.price(unit_amount_decimal="0.050")

    assert price.unit_amount is None
    assert str(price.unit_amount_decimal) == "0.05"


def test_lists_are_cut_into_pages_in_both_directions(shop: Shop) -> None:
    created = [shop.client.v1.customers.create({"email": f"{n}@example.com"}).id for n in range(5)]
    newest_first = created[::-1]

    first = shop.client.v1.customers.list({"limit": 2})
    after = shop.client.v1.customers.list({"limit": 2, "starting_after": newest_first[1]})
    before = shop.client.v1.customers.list({"limit": 2, "ending_before": newest_first[4]})

    assert ([value.id for value in first.data], first.has_more) == (newest_first[:2], True)
    assert [value.id for value in after.data] == newest_first[2:4]
    assert ([value.id for value in before.data], before.has_more) == (newest_first[2:4], True)
    assert [value.id for value in first.auto_paging_iter()] == newest_first


def test_a_list_is_filtered(shop: Shop) -> None:
    sold, other = shop.price(lookup_key="basic"), shop.price(recurring=None)
    shop.client.v1.prices.update(other.id, {"active": False})

    prices = shop.client.v1.prices

    assert [price.id for price in prices.list({"active": True}).data] == [sold.id]
    assert [price.id for price in prices.list({"lookup_keys": ["basic"]}).data] == [sold.id]
    assert [price.id for price in prices.list({"type": "one_time"}).data] == [other.id]
    assert [price.id for price in prices.list({"product": str(other.product)}).data] == [other.id]


@pytest.mark.parametrize(
    ("terms", "param"),
    [
        ({"currency": ""}, "currency"),
        ({"unit_amount_decimal": "1.5", "unit_amount": 2}, "unit_amount"),
        ({"unit_amount_decimal": "0.1234567890123"}, "unit_amount_decimal"),
        ({"billing_scheme": "tiered"}, "billing_scheme"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS[:1]}, "tiers"),
        ({"product": "prod_absent"}, "product"),
        ({"no_such_thing": "1"}, "no_such_thing"),
        ({"recurring": {"interval": "fortnight"}}, "recurring[interval]"),
    ],
)
def test_a_wrong_price_is_refused_naming_the_parameter(shop: Shop, terms: dict[str, object], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.price(**terms)

    assert refusal.value.param == param
    assert refusal.value.http_status == 400


def test_a_field_that_is_no_reference_cannot_be_expanded(shop: Shop) -> None:
    price = shop.price()

    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        shop.client.v1.prices.retrieve(price.id, {"expand": ["nonsense"]})


def test_absent_objects_and_unknown_routes_are_not_found(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.client.v1.customers.retrieve("cus_absent")

    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert shop.browser.get(f"{shop.url}/v1/nothing", auth=("sk_test_fidelity", "")).status_code == 404


def test_only_the_right_key_and_the_right_version_are_served(shop: Shop) -> None:
    stranger = stripe.StripeClient("sk_test_other", base_addresses={"api": shop.url}, max_network_retries=0)
    newer: stripe.RequestOptions = {"stripe_version": "2026-10-28.endive"}

    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.customers.list()
    with pytest.raises(stripe.InvalidRequestError, match="version"):
        shop.client.v1.customers.list(options=newer)
    by_password = shop.browser.get(f"{shop.url}/v1/customers", auth=("sk_test_fidelity", ""))

    assert by_password.status_code == 200
    assert by_password.headers["Request-Id"].startswith("req_")
    assert by_password.headers["Stripe-Version"] == "2026-05-27.dahlia"
