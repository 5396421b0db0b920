"""Which prices are sold, and what staff are told of the others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.catalog import rules, sale_rules
from keywright.catalog.models import Price
from keywright.pricing import rules as pricing
from keywright.pricing.models import PriceTiersMissing, PriceUnsupported
from tests.stripe_events import one_time_price, price, product, tiered_price

CUSTOM: dict[str, Any] = {"unit_amount": None, "unit_amount_decimal": None}
PACKAGES = {"divide_by": 10, "round": "up"}


@pytest.mark.parametrize(
    ("product_", "price_", "sold"),
    [
        (product(), price(), True),
        (product(active=False), price(), False),
        (product(), price(active=False), False),
        (product(deleted=True), price(), False),
        (product(), one_time_price(), False),
        (product(metadata={"fee_structure": "one_time", "air_gapped": "true"}), one_time_price(), True),
        (product(metadata={"fee_structure": "one_time", "air_gapped": "true"}), price(), False),
        (product(metadata={"usage_based": ""}), price(), False),
    ],
)
def test_only_active_prices_that_fit_their_active_product_are_sold(product_, price_, sold):
    assert sale_rules.may_sell(rules.read_product(product_), rules.read_price(price_)) is sold


@pytest.mark.parametrize(
    ("price_", "code", "field"),
    [
        (price(**CUSTOM), "price-unsupported", "unit_amount"),
        (price(billing_scheme="by_the_moon"), "price-unsupported", "billing_scheme"),
        (price(transform_quantity={"divide_by": 10, "round": "nearest"}), "price-unsupported", "transform_quantity"),
        (tiered_price(with_tiers=False), "price-tiers-missing", "tiers"),
        (tiered_price(tiers_mode="package"), "price-unsupported", "tiers_mode"),
        (tiered_price(tiers_mode=None), "price-unsupported", "tiers_mode"),
        (tiered_price(transform_quantity=PACKAGES), "price-unsupported", "transform_quantity"),
    ],
)
def test_a_price_that_cannot_be_computed_is_not_sold_and_staff_are_told_why(price_, code, field):
    read_product, read_price = rules.read_product(product()), rules.read_price(price_)

    problems = sale_rules.review(read_product, (read_price,))

    assert [(problem.code, problem.field, problem.price_id) for problem in problems] == [(code, field, price_["id"])]
    assert not sale_rules.may_sell(read_product, read_price)


def test_a_currency_in_which_nobody_knows_the_amount_is_left_out_and_named_for_staff():
    options = {"eur": {"unit_amount_decimal": "4500"}, "gbp": CUSTOM, "usd": {"unit_amount_decimal": "4900"}}
    read = rules.read_price(price(currency_options=options))

    problems = sale_rules.review(rules.read_product(product()), (read,))

    assert sale_rules.in_sold_currencies(read).currencies == ("usd", "eur")
    assert [(problem.code, problem.field) for problem in problems] == [
        ("price-unsupported", "currency_options.gbp.unit_amount")
    ]
    assert sale_rules.may_sell(rules.read_product(product()), read)


def refuses(found: Price) -> bool:
    """Tell whether the price preview has no amount for the price."""
    try:
        pricing.quote(found, quantity=1)
    except (PriceTiersMissing, PriceUnsupported):
        return True
    return False


def oddities() -> st.SearchStrategy[dict[str, Any]]:
    transforms = st.none() | st.builds(
        lambda rounding: {"divide_by": 10, "round": rounding}, st.sampled_from(["up", "down", "nearest"])
    )
    return st.fixed_dictionaries(
        {
            "billing_scheme": st.sampled_from(["per_unit", "tiered", "by_the_moon"]),
            "tiers_mode": st.sampled_from([None, "graduated", "volume", "package"]),
            "transform_quantity": transforms,
            "unit_amount_decimal": st.sampled_from([None, "500"]),
        }
    )


@given(shape=oddities(), with_tiers=st.booleans())
def test_exactly_those_prices_are_sold_for_which_the_preview_has_an_amount(shape, with_tiers):
    read = rules.read_price(tiered_price(with_tiers=with_tiers, **shape))

    assert sale_rules.may_sell(rules.read_product(product()), read) is not refuses(read)
