"""Prices beyond the plain one, followed through checkout: other currencies, packages and fractions of a cent."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.stripe.amounts import line_amount
from tests.fidelity.shop import Shop

EURO: Any = {"eur": {"unit_amount": 1100}}


def _paid(shop: Shop, price: stripe.Price, quantity: int, **details: Any) -> tuple[str, int, int, int]:
    """Buy; return the currency and the amount as the session, the invoice and the charge have it."""
    invoice: Any = shop.bought(price, quantity, **details).latest_invoice
    session = shop.client.v1.checkout.sessions.list({"limit": 1}).data[0]
    charge = shop.client.v1.charges.list({"limit": 1}).data[0]
    assert session.currency == invoice.currency == charge.currency
    return str(session.currency), session.amount_total or 0, invoice.total, charge.amount


def test_a_session_asks_in_the_currency_it_was_opened_for(shop: Shop) -> None:
    price = shop.price(currency_options=EURO)

    in_euro = _paid(shop, price, 3, currency="eur")
    in_dollar = _paid(shop, price, 3)

    assert in_euro == ("eur", 3300, 3300, 3300)
    assert in_dollar == ("usd", 3600, 3600, 3600)


def test_a_subscription_renews_in_its_own_currency(shop: Shop) -> None:
    subscription = shop.bought(shop.price(currency_options=EURO), currency="eur")

    shop.control("clock", advance_s=32 * 86_400)

    invoices = shop.client.v1.invoices.list({"subscription": subscription.id}).data
    assert [(invoice.currency, invoice.total) for invoice in invoices] == [("eur", 1100)] * 2


def test_a_currency_that_the_price_has_not_is_refused(shop: Shop) -> None:
    price = shop.price(currency_options=EURO)

    with pytest.raises(stripe.InvalidRequestError, match="not available in gbp"):
        shop.session(price, currency="gbp")


def test_currency_options_are_shown_when_expanded_and_can_be_added(shop: Shop) -> None:
    price = shop.price(currency_options=EURO)

    shop.client.v1.prices.update(price.id, {"currency_options": {"gbp": {"unit_amount_decimal": Decimal("999.5")}}})

    plain = shop.client.v1.prices.retrieve(price.id)
    options = shop.client.v1.prices.retrieve(price.id, {"expand": ["currency_options"]}).currency_options
    assert "currency_options" not in plain
    assert options is not None
    assert {currency: option["unit_amount"] for currency, option in options.to_dict().items()} == {
        "usd": 1200,
        "eur": 1100,
        "gbp": None,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"usd": {"unit_amount": 1}},
        {"eur": {"tax_behavior": "exclusive"}},
        {"eur": {"tiers": [{"up_to": "inf", "unit_amount": 1}]}},
    ],
)
def test_an_option_must_be_like_its_price(shop: Shop, wrong: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.price(currency_options=wrong)

    assert str(refusal.value.param).startswith("currency_options")


@pytest.mark.parametrize(("rounding", "packages"), [("up", 3), ("down", 2)])
def test_units_sold_in_packages_are_rounded_as_the_price_says(shop: Shop, rounding: str, packages: int) -> None:
    price = shop.price(transform_quantity={"divide_by": 100, "round": rounding})

    assert _paid(shop, price, 201) == ("usd", *[packages * 1200] * 3)


def test_a_fraction_of_a_cent_is_multiplied_exactly_and_rounded_once(shop: Shop) -> None:
    price = shop.price(unit_amount_decimal="0.05")

    assert _paid(shop, price, 1990) == ("usd", 100, 100, 100)


@given(
    quantity=st.integers(0, 10**9),
    size=st.integers(1, 1000),
    rounding=st.sampled_from(["up", "down"]),
    amount=st.decimals("0", "9999", places=6),
)
@settings(max_examples=200)
def test_packages_agree_with_exact_fractions(quantity: int, size: int, rounding: str, amount: Any) -> None:
    price = {
        "billing_scheme": "per_unit",
        "transform_quantity": {"divide_by": size, "round": rounding},
        "unit_amount_decimal": str(amount),
    }
    units = (ceil if rounding == "up" else floor)(Fraction(quantity, size))

    assert line_amount(price, quantity) == floor(Fraction(amount) * units + Fraction(1, 2))
