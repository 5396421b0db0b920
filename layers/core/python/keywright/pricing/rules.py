"""
Stripe's price arithmetic, exact until one rounding at the end.

Source: Stripe documentation, "Tiered pricing" and "Transform quantities": volume charges every unit at the tier that
the whole quantity reaches; graduated charges each tier's units at that tier's amount; ``up_to`` is inclusive; a tier's
flat amount is charged once when the tier is reached, the first one also at quantity 0. Amounts are rounded once per
invoice line, half up.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from keywright.catalog.models import Price, Tier
from keywright.platform.money import Money
from keywright.pricing.models import PriceTiersMissing, PriceUnsupported, QuantityInvalid, Quote, QuoteLine

MAX_QUANTITY = 999_999_999_999

_ZERO = Decimal(0)


def quote(price: Price, *, quantity: int) -> Quote:
    """
    Return what ``quantity`` units cost per billing interval, before tax and discounts.

    :raises QuantityInvalid: if the quantity is negative or beyond what Stripe takes
    :raises PriceTiersMissing: if the tiers were not observed yet
    :raises PriceUnsupported: if the price charges in a way that we would have to guess
    """
    if not 0 <= quantity <= MAX_QUANTITY:
        raise QuantityInvalid(f"The quantity must be between 0 and {MAX_QUANTITY}.")
    lines = _tiered_lines(price, quantity) if price.billing_scheme == "tiered" else (_unit_line(price, quantity),)
    total = sum((line.amount for line in lines), _ZERO)
    money = Money(int(total.quantize(Decimal(1), rounding=ROUND_HALF_UP)), price.currency)
    return Quote(
        money=money,
        display=display(money, interval=price.interval, interval_count=price.interval_count),
        interval=price.interval,
        interval_count=price.interval_count,
        lines=lines,
        warnings=_warnings(price, quantity),
    )


def display(money: Money, *, interval: str | None, interval_count: int | None) -> str:
    """Return text such as ``USD 123.45 / month``, ``USD 10.00 / 3 months`` or ``USD 4,900.00``."""
    if interval is None:
        return money.display()
    every = interval if interval_count in {None, 1} else f"{interval_count} {interval}s"
    return f"{money.display()} / {every}"


def _unit_line(price: Price, quantity: int) -> QuoteLine:
    if price.unit_amount is None:
        raise PriceUnsupported("The price has no unit amount and no tiers.")
    units = quantity
    if price.transform is not None:
        whole, rest = divmod(quantity, price.transform.divide_by)
        units = whole + (1 if rest and price.transform.rounding == "up" else 0)
    return _line("units", units, price.unit_amount, _ZERO)


def _tiered_lines(price: Price, quantity: int) -> tuple[QuoteLine, ...]:
    if price.tiers_missing:
        raise PriceTiersMissing("The tiers of this price are being fetched. Try again in a moment.")
    if price.transform is not None or price.tiers_mode not in {"graduated", "volume"}:
        raise PriceUnsupported(f"The tiers mode {price.tiers_mode} is not supported.")
    return _volume(price.tiers, quantity) if price.tiers_mode == "volume" else _graduated(price.tiers, quantity)


def _volume(tiers: tuple[Tier, ...], quantity: int) -> tuple[QuoteLine, ...]:
    for number, tier in enumerate(tiers, start=1):
        if tier.up_to is None or quantity <= tier.up_to:
            return (_tier_line(number, quantity, tier),)
    raise QuantityInvalid("The quantity lies beyond the last tier.")


def _graduated(tiers: tuple[Tier, ...], quantity: int) -> tuple[QuoteLine, ...]:
    lines, below = [], 0
    for number, tier in enumerate(tiers, start=1):
        within = quantity - below if tier.up_to is None else min(quantity, tier.up_to) - below
        lines.append(_tier_line(number, within, tier))
        if tier.up_to is None or quantity <= tier.up_to:
            return tuple(lines)
        below = tier.up_to
    raise QuantityInvalid("The quantity lies beyond the last tier.")


def _tier_line(number: int, units: int, tier: Tier) -> QuoteLine:
    return _line(f"tier {number}", units, tier.unit_amount or _ZERO, tier.flat_amount or _ZERO)


def _line(description: str, units: int, unit_amount: Decimal, flat_amount: Decimal) -> QuoteLine:
    return QuoteLine(description, units, unit_amount, flat_amount, units * unit_amount + flat_amount)


def _warnings(price: Price, quantity: int) -> tuple[str, ...]:
    warnings = ["TAX_EXCLUDED"]
    if price.usage_type == "metered":
        warnings.append("METERED_ESTIMATE")
    if _falls_with_one_more(price, quantity):
        warnings.append("PRICE_CLIFF")
    return tuple(warnings)


def _falls_with_one_more(price: Price, quantity: int) -> bool:
    """Tell whether one unit more would cost less, as volume tiers may at a border."""
    at_border = any(tier.up_to == quantity for tier in price.tiers[:-1])
    if price.tiers_mode != "volume" or not at_border:
        return False
    here, beyond = _volume(price.tiers, quantity)[0], _volume(price.tiers, quantity + 1)[0]
    return beyond.amount < here.amount
