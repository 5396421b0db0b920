"""The engine against a second implementation that shares nothing with it, and that comparison against bad engines."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keywright.catalog.models import Price, Tier
from keywright.platform.money import Money
from keywright.pricing import rules
from tests.unit.pricing.arithmetic import amount, borders, disagreements
from tests.unit.pricing.prices import QUANTITIES, price, prices, tiered


def engine(price_: Price, quantity: int) -> int:
    return rules.quote(price_, quantity=quantity).money.minor


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(price_=prices(), chosen=st.lists(QUANTITIES, min_size=8, max_size=8))
def test_the_engine_agrees_with_an_independent_one(price_, chosen):
    """Two thousand quantities at random, and every border of every tier."""
    cases = [(price_, quantity) for quantity in {*chosen, *borders(price_)}]

    assert disagreements(engine, cases) == []


@settings(max_examples=100, deadline=None)
@given(price_=prices(), quantity=QUANTITIES)
def test_the_lines_add_up_to_the_amount_before_rounding(price_, quantity):
    quote = rules.quote(price_, quantity=quantity)

    exact = sum((line.quantity * line.unit_amount + line.flat_amount for line in quote.lines), Decimal(0))
    assert quote.money == Money(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)), price_.currency)
    assert sum(line.amount for line in quote.lines) == exact


GRADUATED = tiered("graduated", (10, "0.45", "1000"), (20, "0.45", "50"), (None, "0.3", None))
VOLUME = tiered("volume", (10, "500", "900"), (20, "400", None), (None, "300", "1"))


@pytest.mark.parametrize(
    ("price_", "quantity", "minor"),
    [
        (GRADUATED, 0, 1000),  # the first tier's flat amount is due without any use
        (GRADUATED, 1, 1000),  # 1000.45
        (GRADUATED, 10, 1005),  # 1004.5: half goes up
        (GRADUATED, 11, 1055),  # 1004.5 + 50.45
        (GRADUATED, 20, 1059),  # 1004.5 + 54.5: rounded once, not a tier at a time
        (VOLUME, 0, 900),
        (VOLUME, 10, 5900),  # up_to is inclusive
        (VOLUME, 11, 4400),
        (VOLUME, 21, 6301),
        (price(unit_amount=Decimal("0.5")), 1, 1),  # half goes up
        (price(unit_amount=Decimal("0.000000000001")), 10**12 - 1, 1),
    ],
)
def test_borders_and_rounding_by_example(price_, quantity, minor):
    assert engine(price_, quantity) == minor == amount(price_, quantity)


def rounding_per_tier(price_: Price, quantity: int) -> int:
    lines = rules.quote(price_, quantity=quantity).lines
    return sum(int(line.amount.quantize(Decimal(1), rounding=ROUND_HALF_UP)) for line in lines)


def exclusive_up_to(price_: Price, quantity: int) -> int:
    shifted = tuple(Tier(tier.up_to and tier.up_to - 1, tier.unit_amount, tier.flat_amount) for tier in price_.tiers)
    return engine(price(**{**vars(price_), "tiers": shifted}), quantity)


def nothing_at_zero(price_: Price, quantity: int) -> int:
    return engine(price_, quantity) if quantity else 0


def in_floats(price_: Price, quantity: int) -> int:
    lines = rules.quote(price_, quantity=quantity).lines
    return round(sum(line.quantity * float(line.unit_amount) + float(line.flat_amount) for line in lines))


@pytest.mark.parametrize("saboteur", [rounding_per_tier, exclusive_up_to, nothing_at_zero, in_floats])
def test_the_comparison_catches_a_wrong_engine(saboteur):
    subjects = [GRADUATED, VOLUME]
    at_borders = [(price_, quantity) for price_ in subjects for quantity in borders(price_)]

    assert disagreements(engine, at_borders) == []
    assert disagreements(saboteur, [*at_borders, (price(unit_amount=Decimal("0.5")), 1)]) != []
