"""
What a plan costs and what a subscription has agreed to, as values, and as the canonical text that is kept. Pure.

Amounts are minor units of the currency, exact; in texts they are written as decimals in quotes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Any

from keywright.catalog.models import Price, Tier
from keywright.platform.errors import Invalid
from keywright.platform.money import decimal_text
from keywright.pricing import rules as pricing

MAX_TIERS = 100

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Scheme(StrEnum):
    """How an amount follows from a quantity."""

    FLAT = "FLAT"
    PER_UNIT = "PER_UNIT"
    TIERED = "TIERED"


class Every(StrEnum):
    """What a billing cycle is counted in."""

    MONTH = "MONTH"
    YEAR = "YEAR"


class UsageType(StrEnum):
    """LICENSED is billed in advance for a quantity, METERED afterwards for what was used."""

    LICENSED = "LICENSED"
    METERED = "METERED"


@dataclass(frozen=True)
class Pricing:
    """A scheme and its amounts. FLAT charges ``unit_amount`` whatever the quantity."""

    scheme: Scheme
    unit_amount: Decimal | None = None
    tiers_mode: str | None = None
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True)
class Terms:
    """What a subscription has agreed to from some moment on: the plan as it was then, and the price that counts."""

    plan_sid: str
    plan_version: int
    plan_name: str
    product_id: str
    currency: str
    every: Every
    interval_count: int
    usage_type: UsageType
    meter: str | None
    quantity: int
    pricing: Pricing

    @property
    def months(self) -> int:
        """Return the length of a cycle."""
        return self.interval_count * (12 if self.every is Every.YEAR else 1)

    @property
    def is_metered(self) -> bool:
        """Tell whether usage is billed, and not the quantity."""
        return self.usage_type is UsageType.METERED


class PricingInvalid(Invalid):
    """The price cannot be computed as stated."""

    code = "pricing-invalid"
    title = "The pricing is not valid"


def check_pricing(given: Pricing) -> None:
    """
    Require that an amount follows from every quantity.

    :raises PricingInvalid: if amounts are missing, too many, negative, or the tiers leave a gap
    """
    amounts = [given.unit_amount, *(amount for tier in given.tiers for amount in (tier.unit_amount, tier.flat_amount))]
    if any(amount is not None and amount < 0 for amount in amounts):
        raise PricingInvalid("Amounts are not negative.")
    if given.scheme is not Scheme.TIERED:
        if given.unit_amount is None or given.tiers or given.tiers_mode:
            raise PricingInvalid(f"{given.scheme} has a unit_amount and no tiers.")
        return
    bounds = [tier.up_to for tier in given.tiers]
    rising = all(low is not None and (high is None or high > low) for low, high in pairwise(bounds))
    if given.unit_amount is not None or given.tiers_mode not in {"graduated", "volume"}:
        raise PricingInvalid("TIERED has a tiers_mode, graduated or volume, and no unit_amount.")
    if not 1 <= len(bounds) <= MAX_TIERS or bounds[-1] is not None or not rising or (bounds[0] or 1) < 1:
        raise PricingInvalid("Tiers rise, and the last one, and only that, has no up_to.")
    if any(tier.unit_amount is None and tier.flat_amount is None for tier in given.tiers):
        raise PricingInvalid("Each tier has a unit_amount or a flat_amount.")


def exact_amount(terms: Terms, *, quantity: int) -> Fraction:
    """
    Return what a whole cycle costs, in minor units and before any rounding.

    :raises QuantityInvalid: if the quantity does not fit the price
    """
    quote = pricing.quote(_price(terms), quantity=quantity)
    return sum((Fraction(line.amount) for line in quote.lines), Fraction(0))


def to_text(terms: Terms) -> str:
    """Return the canonical text of terms: equal terms are equal texts."""
    return _dump({**vars(terms), "pricing": pricing_fields(terms.pricing)})


def from_text(text: str) -> Terms:
    """Return the terms that a text was made of."""
    fields = json.loads(text)
    typed = {"every": Every(fields["every"]), "usage_type": UsageType(fields["usage_type"])}
    return Terms(**{**fields, **typed, "pricing": read_pricing(fields["pricing"])})


def pricing_to_text(given: Pricing) -> str:
    """Return the canonical text of a pricing."""
    return _dump(pricing_fields(given))


def pricing_from_text(text: str) -> Pricing:
    """Return the pricing that a text was made of."""
    return read_pricing(json.loads(text))


def pricing_fields(given: Pricing) -> dict[str, Any]:
    """Return a pricing as plain values."""
    return {
        "scheme": given.scheme.value,
        "unit_amount": _text(given.unit_amount),
        "tiers_mode": given.tiers_mode,
        "tiers": [
            {"up_to": tier.up_to, "unit_amount": _text(tier.unit_amount), "flat_amount": _text(tier.flat_amount)}
            for tier in given.tiers
        ],
    }


def read_pricing(fields: Mapping[str, Any]) -> Pricing:
    """Return the pricing that plain values describe."""
    tiers = tuple(
        Tier(tier["up_to"], _decimal(tier["unit_amount"]), _decimal(tier["flat_amount"])) for tier in fields["tiers"]
    )
    return Pricing(Scheme(fields["scheme"]), _decimal(fields["unit_amount"]), fields["tiers_mode"], tiers)


def _price(terms: Terms) -> Price:
    """Return the price as the engine of Stripe's prices knows it: a flat one is a single tier."""
    given = terms.pricing
    flat = given.scheme is Scheme.FLAT
    return Price(
        price_id=f"{terms.plan_sid}:{terms.plan_version}",
        product_id=terms.product_id,
        active=True,
        currency=terms.currency,
        kind="recurring",
        interval=terms.every.lower(),
        interval_count=terms.interval_count,
        usage_type="metered" if terms.is_metered else "licensed",
        billing_scheme="per_unit" if given.scheme is Scheme.PER_UNIT else "tiered",
        tiers_mode="volume" if flat else given.tiers_mode,
        unit_amount=None if flat else given.unit_amount,
        transform=None,
        created_at=_NEVER,
        tiers=(Tier(None, None, given.unit_amount),) if flat else given.tiers,
    )


def _dump(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
