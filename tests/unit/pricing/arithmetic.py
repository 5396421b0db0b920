"""
Stripe's price arithmetic a second time, written from its documentation alone: unit by unit in fractions.

It shares no line with the engine: tiers are ranges of units, and every unit looks up what it costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from keywright.catalog.models import Price, Tier


@dataclass(frozen=True)
class Range:
    """The units from ``first`` to ``last`` (None: without end), what each costs, and what reaching them costs."""

    first: int
    last: int | None
    each: Fraction
    flat: Fraction

    def holds(self, unit: int) -> bool:
        return unit >= self.first and (self.last is None or unit <= self.last)


def amount(price: Price, quantity: int, currency: str | None = None) -> int:
    """Return the amount in minor units of a currency (None: the price's own), rounded half up, once."""
    return half_up(exact(price, quantity, currency))


def exact(price: Price, quantity: int, currency: str | None = None) -> Fraction:
    # Each currency of a price by itself: nothing is converted.
    named = {option.currency: (option.unit_amount, option.tiers) for option in price.options}
    unit, tiers = {**named, price.currency: (price.unit_amount, price.tiers)}[currency or price.currency]
    if price.billing_scheme == "per_unit":
        assert unit is not None
        return Fraction(unit) * packages(price, quantity)
    ranges = ranges_of(tiers)
    # Quantity 0 stands in the first tier: its flat amount is due even when nothing is used.
    reached = [piece for piece in ranges if piece.first <= max(quantity, 1)]
    if price.tiers_mode == "volume":
        return quantity * reached[-1].each + reached[-1].flat
    units = sum((piece.each * units_within(piece, quantity) for piece in reached), Fraction(0))
    return units + sum((piece.flat for piece in reached), Fraction(0))


def packages(price: Price, quantity: int) -> int:
    if price.transform is None:
        return quantity
    share = Fraction(quantity, price.transform.divide_by)
    return -(-share.numerator // share.denominator) if price.transform.rounding == "up" else int(share)


def ranges_of(tiers: tuple[Tier, ...]) -> list[Range]:
    ranges: list[Range] = []
    for tier in tiers:
        first = (ranges[-1].last or 0) + 1 if ranges else 1
        ranges.append(Range(first, tier.up_to, Fraction(tier.unit_amount or 0), Fraction(tier.flat_amount or 0)))
    return ranges


def units_within(piece: Range, quantity: int) -> int:
    last = quantity if piece.last is None else min(quantity, piece.last)
    return max(0, last - piece.first + 1)


def half_up(value: Fraction) -> int:
    return (value + Fraction(1, 2)).numerator // (value + Fraction(1, 2)).denominator


Engine = Callable[[Price, int], int]


def disagreements(engine: Engine, cases: list[tuple[Price, int]]) -> list[tuple[Price, int]]:
    """Return the cases in which an engine says something else than this module."""
    return [(price, quantity) for price, quantity in cases if engine(price, quantity) != amount(price, quantity)]


def borders(price: Price) -> list[int]:
    """Return the quantities at which tiers begin and end."""
    ends = [tier.up_to for tier in price.tiers if tier.up_to is not None]
    return sorted({0, 1, *ends, *(end + 1 for end in ends), *(end - 1 for end in ends)})
