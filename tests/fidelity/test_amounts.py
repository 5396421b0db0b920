"""The arithmetic of prices against a second implementation that counts unit by unit with exact fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.stripe.amounts import exact_amount, line_amount
from tests.fidelity.shop import Shop

Tier = dict[str, Any]

_decimals = st.decimals(min_value=0, max_value=10_000, places=12).map(str)
_flats = st.none() | st.integers(0, 100_000).map(str)


@st.composite
def _tiers(draw: st.DrawFn) -> list[Tier]:
    bounds: list[int | None] = [*sorted(draw(st.sets(st.integers(1, 60), max_size=4))), None]
    return [
        {"up_to": bound, "unit_amount_decimal": draw(_decimals), "flat_amount_decimal": draw(_flats)}
        for bound in bounds
    ]


def _tiered(mode: str, tiers: list[Tier]) -> dict[str, Any]:
    return {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": tiers, "transform_quantity": None}


def _per_unit(amount: str, transform: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"billing_scheme": "per_unit", "unit_amount_decimal": amount, "transform_quantity": transform}


def _tier_of(tiers: list[Tier], unit: int) -> int:
    return next(index for index, tier in enumerate(tiers) if tier["up_to"] is None or unit <= tier["up_to"])


def _counted(mode: str, tiers: list[Tier], quantity: int) -> Fraction:
    """Price units one by one; nothing of this shares a line of thought with the implementation."""
    last = _tier_of(tiers, quantity)
    flats = [Fraction(tier["flat_amount_decimal"] or 0) for tier in tiers]
    units = [Fraction(tier["unit_amount_decimal"]) for tier in tiers]
    if mode == "volume":
        return flats[last] + quantity * units[last]
    return sum(flats[: last + 1]) + sum((units[_tier_of(tiers, n)] for n in range(1, quantity + 1)), Fraction(0))


def _half_up(amount: Fraction) -> int:
    return int(amount + Fraction(1, 2)) if amount >= 0 else -int(-amount + Fraction(1, 2))


@given(mode=st.sampled_from(["graduated", "volume"]), tiers=_tiers(), quantity=st.integers(0, 100))
def test_tiers_cost_what_counting_unit_by_unit_says(mode: str, tiers: list[Tier], quantity: int) -> None:
    exact = _counted(mode, tiers, quantity)

    price = _tiered(mode, tiers)

    assert Fraction(exact_amount(price, quantity)) == exact
    assert line_amount(price, quantity) == _half_up(exact)


@given(tiers=_tiers(), quantity=st.integers(0, 100))
def test_graduated_never_gets_cheaper_with_more_units(tiers: list[Tier], quantity: int) -> None:
    price = _tiered("graduated", tiers)

    assert exact_amount(price, quantity) <= exact_amount(price, quantity + 1)


@given(amount=_decimals, quantity=st.integers(0, 10**12), divide_by=st.integers(1, 1000))
def test_a_unit_price_is_multiplied_exactly_and_rounded_once(amount: str, quantity: int, divide_by: int) -> None:
    packages = -(-quantity // divide_by)

    assert line_amount(_per_unit(amount), quantity) == _half_up(Fraction(amount) * quantity)
    rounded_up = _per_unit(amount, {"divide_by": divide_by, "round": "up"})
    assert line_amount(rounded_up, quantity) == _half_up(Fraction(amount) * packages)


def test_volume_may_fall_at_a_border_and_nothing_still_pays_the_first_flat_fee() -> None:
    tiers: list[Tier] = [
        {"up_to": 10, "unit_amount_decimal": "100", "flat_amount_decimal": "7"},
        {"up_to": None, "unit_amount_decimal": "50", "flat_amount_decimal": None},
    ]

    assert [line_amount(_tiered("volume", tiers), quantity) for quantity in (0, 10, 11)] == [7, 1007, 550]
    assert [line_amount(_tiered("graduated", tiers), quantity) for quantity in (0, 10, 11)] == [7, 1007, 1057]


def test_rounding_each_tier_instead_of_the_line_would_be_caught() -> None:
    tiers: list[Tier] = [
        {"up_to": 1, "unit_amount_decimal": "0.5", "flat_amount_decimal": None},
        {"up_to": 2, "unit_amount_decimal": "0.5", "flat_amount_decimal": None},
        {"up_to": None, "unit_amount_decimal": "0.5", "flat_amount_decimal": None},
    ]
    rounded_per_tier = sum(_half_up(Fraction(tier["unit_amount_decimal"])) for tier in tiers)

    assert _counted("graduated", tiers, 3) == Fraction(3, 2)
    assert line_amount(_tiered("graduated", tiers), 3) == 2 != rounded_per_tier


@pytest.mark.parametrize("mode", ["graduated", "volume"])
def test_the_session_and_the_invoice_agree_with_the_arithmetic(shop: Shop, mode: str) -> None:
    tiers = [{"up_to": 5, "unit_amount_decimal": "10.05", "flat_amount": 3}, {"up_to": "inf", "unit_amount": 7}]
    price = shop.price(billing_scheme="tiered", tiers_mode=mode, tiers=tiers)
    expected = {"graduated": 67, "volume": 49}[mode]

    subscription = shop.bought(price, 7)

    session = shop.client.v1.checkout.sessions.list({"subscription": subscription.id}).data[0]
    invoice: Any = subscription.latest_invoice
    assert session.amount_total == invoice.total == invoice.lines.data[0].amount == expected
