"""A quote and its lines."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from keywright.platform.errors import Invalid
from keywright.platform.money import Money


@dataclass(frozen=True)
class QuoteLine:
    """A part of the amount: ``quantity`` units at ``unit_amount`` plus ``flat_amount``, all in minor units, exact."""

    description: str
    quantity: int
    unit_amount: Decimal
    flat_amount: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Quote:
    """What a price costs at a quantity. The lines are exact; ``money`` is their sum, rounded once."""

    money: Money
    display: str
    interval: str | None
    interval_count: int | None
    lines: tuple[QuoteLine, ...]
    warnings: tuple[str, ...]


class PriceTiersMissing(Invalid):
    """The price is tiered and its tiers are not known yet."""

    code = "price-tiers-missing"
    title = "The price's tiers are not known yet"


class PriceUnsupported(Invalid):
    """We would have to guess."""

    code = "price-unsupported"
    title = "The price cannot be computed"


class QuantityInvalid(Invalid):
    """The quantity does not fit the price."""

    code = "quantity-invalid"
    title = "The quantity is not valid"
