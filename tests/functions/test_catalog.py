"""What is on sale, as anybody may see it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.purchases import AIR_GAPPED, fold, observation
from tests.stripe_events import event, one_time_price, price, product, tiered_price

PRODUCTS = "/v1/products"


@pytest.fixture(autouse=True)
def shelves(clean_database: Any) -> None:
    """Three products on sale, and some that are not."""
    fold(
        event("product.created", product()),
        event("price.created", price()),
        event("price.created", price("price_archived", active=False)),
        event("price.created", one_time_price("price_unfit", product_id="prod_unlimited")),
        event("product.created", product("prod_usage", metadata={"usage_based": "true"})),
        observation(tiered_price(product_id="prod_usage")),
        event("product.created", product("prod_air", metadata=AIR_GAPPED)),
        event("price.created", one_time_price()),
        event("product.created", product("prod_hidden", active=False)),
        event("price.created", price("price_hidden", product_id="prod_hidden")),
        event("product.created", product("prod_unclear", metadata={"air_gapped": "maybe"})),
        event("price.created", price("price_unclear", product_id="prod_unclear")),
        event("product.created", product("prod_priceless")),
    )


def listed(call: Api, **query: str) -> list[str]:
    answer = call("catalog", "GET", PRODUCTS, query=query)
    assert (answer.status, answer.json["next_cursor"]) == (200, None)
    return [item["product_id"] for item in answer.json["items"]]


def test_only_what_can_be_bought_is_listed(call):
    assert listed(call) == ["prod_air", "prod_unlimited", "prod_usage"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"product_family": "self_hosted"}, ["prod_air", "prod_unlimited", "prod_usage"]),
        ({"product_family": "cloud"}, []),
        ({"product_family": "Self_Hosted"}, []),
        ({"product_family": "schön"}, []),
        ({"usage_based": "true"}, ["prod_usage"]),
        ({"usage_based": "false", "air_gapped": "false"}, ["prod_unlimited"]),
        ({"air_gapped": "true"}, ["prod_air"]),
    ],
)
def test_products_are_found_by_their_metadata(call, query, found):
    assert listed(call, **query) == found


@pytest.mark.parametrize("query", [{"usage_based": "yes"}, {"air_gapped": ""}, {"product_family": "x" * 201}])
def test_a_filter_that_means_nothing_is_refused_and_named(call, query):
    answer = call("catalog", "GET", PRODUCTS, query=query)

    assert (answer.status, answer.json["code"]) == (422, "request-invalid")
    assert answer.json["errors"][0]["field"] == f"query.{next(iter(query))}"


def test_a_product_says_what_it_licenses_and_what_it_costs(call):
    answer = call("catalog", "GET", PRODUCTS, query={"usage_based": "true"})

    (item,) = answer.json["items"]
    assert (item["name"], item["license_kind"], item["metadata"]["limit_seats"]) == ("Harbor", "USAGE", "25")
    (offered,) = item["prices"]
    assert (offered["price_id"], offered["unit_amount"], offered["tiers_mode"]) == ("price_tiered", None, "graduated")
    assert offered["tiers"] == [
        {"up_to": 10, "unit_amount": "500", "flat_amount": "1000"},
        {"up_to": None, "unit_amount": "12.5", "flat_amount": None},
    ]


def test_prices_that_do_not_fit_are_not_offered(call):
    answer = call("catalog", "GET", PRODUCTS, query={"usage_based": "false", "air_gapped": "false"})

    (item,) = answer.json["items"]
    assert [(offered["price_id"], offered["unit_amount"]) for offered in item["prices"]] == [("price_monthly", "4900")]
