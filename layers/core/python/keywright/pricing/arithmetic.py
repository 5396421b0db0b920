"""
Stripe's price arithmetic, exact. Pure, and without any rounding: a step that could not be exact raises.

Source: Stripe documentation, "Tiered pricing" and "Transform quantities": volume charges every unit at the tier that
the whole quantity reaches; graduated charges each tier's units at that tier's amount; ``up_to`` is inclusive; a tier's
flat amount is charged once when the tier is reached, the first one also at quantity 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Context, Decimal, Inexact

from keywright.catalog import sale_rules
from keywright.catalog.models import Price, Tier
from keywright.pricing.models import PriceTiersMissing, PriceUnsupported, QuantityInvalid, QuoteLine

# Eighteen digits and twelve decimals of an amount, times twelve digits of a quantity, over a few hundred tiers.
EXACT = Context(prec=80, traps=[Inexact])

_ZERO = Decimal(0)


def lines(price: Price, quantity: int) -> tuple[QuoteLine, ...]:
    """
    Return what makes up the amount.

    :raises PriceTiersMissing: if the tiers were not observed yet
    :raises PriceUnsupported: if the price charges in a way that we would have to guess
    """
    if price.billing_scheme == "tiered":
        return _tiered(price, quantity)
    if price.billing_scheme != "per_unit":
        raise PriceUnsupported(f"The billing scheme {price.billing_scheme} is not supported.")
    if price.unit_amount is None:
        raise PriceUnsupported("The price has no unit amount and no tiers.")
    what = "units" if price.transform is None else f"packages of {price.transform.divide_by}"
    return (_line(what, packages(price, quantity), price.unit_amount, _ZERO),)


def total(parts: Iterable[QuoteLine]) -> Decimal:
    """Return the exact sum."""
    result = _ZERO
    for part in parts:
        result = EXACT.add(result, part.amount)
    return result


def packages(price: Price, quantity: int) -> int:
    """Divide the quantity as ``transform_quantity`` says; without it a package is a unit."""
    if price.transform is None:
        return quantity
    if price.transform.rounding not in sale_rules.ROUNDINGS:
        raise PriceUnsupported(f"Rounding packages {price.transform.rounding} is not supported.")
    whole, rest = divmod(quantity, price.transform.divide_by)
    return whole + (1 if rest and price.transform.rounding == "up" else 0)


def _tiered(price: Price, quantity: int) -> tuple[QuoteLine, ...]:
    if price.tiers_missing:
        raise PriceTiersMissing("The tiers of this price are being fetched. Try again in a moment.")
    if price.transform is not None:
        raise PriceUnsupported("A price with tiers that is also sold in packages is not supported.")
    if price.tiers_mode not in sale_rules.TIERS_MODES:
        raise PriceUnsupported(f"The tiers mode {price.tiers_mode} is not supported.")
    return _volume(price.tiers, quantity) if price.tiers_mode == "volume" else _graduated(price.tiers, quantity)


def _volume(tiers: tuple[Tier, ...], quantity: int) -> tuple[QuoteLine, ...]:
    for number, tier in enumerate(tiers, start=1):
        if tier.up_to is None or quantity <= tier.up_to:
            return (_tier_line(number, quantity, tier),)
    raise QuantityInvalid("The quantity lies beyond the last tier.")


def _graduated(tiers: tuple[Tier, ...], quantity: int) -> tuple[QuoteLine, ...]:
    parts, below = [], 0
    for number, tier in enumerate(tiers, start=1):
        within = quantity - below if tier.up_to is None else min(quantity, tier.up_to) - below
        parts.append(_tier_line(number, within, tier))
        if tier.up_to is None or quantity <= tier.up_to:
            return tuple(parts)
        below = tier.up_to
    raise QuantityInvalid("The quantity lies beyond the last tier.")


def _tier_line(number: int, units: int, tier: Tier) -> QuoteLine:
    return _line(f"tier {number}", units, tier.unit_amount or _ZERO, tier.flat_amount or _ZERO)


def _line(description: str, units: int, unit_amount: Decimal, flat_amount: Decimal) -> QuoteLine:
    amount = EXACT.add(EXACT.multiply(Decimal(units), unit_amount), flat_amount)
    return QuoteLine(description, units, unit_amount, flat_amount, amount)
