"""
Ten thousand cases and more: our engine, an implementation with exact fractions, and the stand-in's invoice line.

``PRICE_CASES`` says how many.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest

from infra.local.stripe import amounts
from keywright.pricing import arithmetic, rules
from keywright.pricing.models import QuoteLine
from tests.unit.pricing.arithmetic import amount
from tests.unit.pricing.corpus import Case, cases

COUNT = int(os.environ.get("PRICE_CASES", "10000"))

Engine = Callable[[Case], int]


def ours(case: Case) -> int:
    return rules.quote(case.price, quantity=case.quantity, currency=case.currency).money.minor


def at_the_stand_in(case: Case) -> int:
    terms = amounts.in_currency(case.stripe, case.currency or case.price.currency)
    return amounts.line_amount(terms, case.quantity)


def differences(engine: Engine, count: int = COUNT) -> list[str]:
    """Return the cases in which the engine, the fractions and the stand-in do not all say the same."""
    found = []
    for case in cases(count):
        said = {engine(case), amount(case.price, case.quantity, case.currency), at_the_stand_in(case)}
        if len(said) != 1:
            found.append(f"{case}: {said}")
    return found


def test_engine_fractions_and_stand_in_agree_in_every_case():
    assert differences(ours) == []


def test_the_corpus_holds_every_sort_of_price_and_every_border():
    sorts: Counter[str] = Counter()
    for case in cases(COUNT):
        price = case.price
        sorts["cases"] += 1
        sorts[price.tiers_mode or ("package" if price.transform else "per unit")] += 1
        sorts[f"currency {case.currency or price.currency}"] += 1
        sorts[f"another currency, {price.billing_scheme}"] += case.currency is not None
        sorts["nothing"] += case.quantity == 0
        sorts["large"] += case.quantity >= 10**9
        sorts["border"] += any(tier.up_to == case.quantity for tier in price.tiers)
        sorts["behind a border"] += any((tier.up_to or -2) + 1 == case.quantity for tier in price.tiers)
        sorts["flat"] += any(tier.flat_amount for tier in price.tiers)
        sorts["decimal"] += any((tier.unit_amount or 0) % 1 for tier in price.tiers) or bool(
            (price.unit_amount or 0) % 1
        )

    assert sorts["cases"] >= COUNT
    assert min(sorts.values()) >= COUNT // 100


def lines_of(case: Case) -> tuple[QuoteLine, ...]:
    return arithmetic.lines(rules.in_currency(case.price, case.currency), case.quantity)


def in_floats(case: Case) -> int:
    lines = lines_of(case)
    return int(sum(line.quantity * float(line.unit_amount) + float(line.flat_amount) for line in lines) + 0.5)


def half_even(case: Case) -> int:
    return int(arithmetic.total(lines_of(case)).quantize(Decimal(1), ROUND_HALF_EVEN))


def rounded_by_tier(case: Case) -> int:
    return sum(int(line.amount.quantize(Decimal(1), ROUND_HALF_UP)) for line in lines_of(case))


def in_its_own_currency(case: Case) -> int:
    return rules.quote(case.price, quantity=case.quantity).money.minor


@pytest.mark.parametrize("saboteur", [in_floats, half_even, rounded_by_tier, in_its_own_currency])
def test_a_wrong_engine_is_caught(saboteur):
    assert differences(saboteur, 3000) != []


def test_default_precision_would_not_do():
    """An amount of eighteen digits and twelve decimals, times twelve digits: the interpreter's 28 are too few."""
    case = next(
        case
        for case in cases(3000)
        if case.price.unit_amount and case.price.unit_amount % 1 and case.quantity == 999_999_999_999
    )
    big = Case(case.price, case.stripe, case.quantity)

    assert ours(big) == amount(big.price, big.quantity)
    exact = arithmetic.EXACT.multiply(Decimal("123456789012345678.123456789012"), Decimal(999_999_999_999))
    assert exact != Decimal("123456789012345678.123456789012") * 999_999_999_999
