"""
What a price costs at a quantity. Pure arithmetic: no store, no clock, and never a float.

Stripe multiplies exactly and rounds once per invoice line, half up. Tiers include their ``up_to``; quantity 0
pays the flat fee of the first tier in both modes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

# A unit amount has at most 30 digits and a quantity 18: no product of the two can be rounded at this precision.
_EXACT = Context(prec=80)
_ZERO = Decimal(0)


def line_amount(price: Mapping[str, Any], quantity: int) -> int:
    """Return the amount of one line in minor units."""
    return rounded(exact_amount(price, quantity))


def in_currency(price: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Return the price with the amounts that it has in another of its currencies."""
    if currency == price["currency"]:
        return dict(price)
    option = price["currency_options"][currency]
    amounts = {name: option[name] for name in ("tiers", "unit_amount", "unit_amount_decimal") if name in option}
    return {**price, **amounts, "currency": currency}


def exact_amount(price: Mapping[str, Any], quantity: int) -> Decimal:
    """Return the amount before rounding."""
    if price["billing_scheme"] == "tiered":
        tiered = volume if price["tiers_mode"] == "volume" else graduated
        return tiered(price["tiers"], quantity)
    return _EXACT.multiply(Decimal(price["unit_amount_decimal"]), Decimal(packages(price, quantity)))


def packages(price: Mapping[str, Any], quantity: int) -> int:
    """Divide the quantity as ``transform_quantity`` says; without it, a package is a unit."""
    transform = price["transform_quantity"]
    if transform is None:
        return quantity
    whole, rest = divmod(quantity, transform["divide_by"])
    return int(whole + (1 if rest and transform["round"] == "up" else 0))


def volume(tiers: Sequence[Mapping[str, Any]], quantity: int) -> Decimal:
    """Price every unit at the tier that the quantity reaches, plus that tier's flat fee alone."""
    reached = next(tier for tier in tiers if tier["up_to"] is None or quantity <= tier["up_to"])
    return _tier_amount(reached, quantity)


def graduated(tiers: Sequence[Mapping[str, Any]], quantity: int) -> Decimal:
    """Price each unit at its own tier, plus the flat fee of every tier that was entered."""
    total, below = _ZERO, 0
    for tier in tiers:
        inside = quantity - below if tier["up_to"] is None else min(quantity, tier["up_to"]) - below
        total = _EXACT.add(total, _tier_amount(tier, inside))
        if tier["up_to"] is None or quantity <= tier["up_to"]:
            break
        below = tier["up_to"]
    return total


def _tier_amount(tier: Mapping[str, Any], units: int) -> Decimal:
    unit = Decimal(tier["unit_amount_decimal"] or 0)
    flat = Decimal(tier["flat_amount_decimal"] or 0)
    return _EXACT.add(_EXACT.multiply(unit, Decimal(units)), flat)


def rounded(amount: Decimal) -> int:
    """Round half up (away from zero) to a whole minor unit."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP, context=_EXACT))
