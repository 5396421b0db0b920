"""A quote and its lines."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from keywright.platform.errors import Invalid
from keywright.platform.money import Money


class Caution(StrEnum):
    """
    What an amount leaves out, or what else its buyer should know.

    TAX_EXCLUDED, COUPONS_EXCLUDED, PRORATION_EXCLUDED: Stripe's invoice may add or take away these. METERED_ESTIMATE:
    usage decides what is billed. PRICE_CLIFF: a larger quantity costs less. BELOW_MINIMUM_CHARGE: Stripe carries so
    little over to the next invoice. AMOUNT_TOO_LARGE: it is more than one charge may be. AMOUNT_NOT_CHARGEABLE: the
    currency has no such small unit. INTERVAL_CHANGES: two amounts are not due equally often.
    """

    TAX_EXCLUDED = "TAX_EXCLUDED"
    COUPONS_EXCLUDED = "COUPONS_EXCLUDED"
    PRORATION_EXCLUDED = "PRORATION_EXCLUDED"
    METERED_ESTIMATE = "METERED_ESTIMATE"
    PRICE_CLIFF = "PRICE_CLIFF"
    BELOW_MINIMUM_CHARGE = "BELOW_MINIMUM_CHARGE"
    AMOUNT_TOO_LARGE = "AMOUNT_TOO_LARGE"
    AMOUNT_NOT_CHARGEABLE = "AMOUNT_NOT_CHARGEABLE"
    INTERVAL_CHANGES = "INTERVAL_CHANGES"


@dataclass(frozen=True)
class QuoteLine:
    """A part of the amount: ``quantity`` units at ``unit_amount`` plus ``flat_amount``, all in minor units, exact."""

    description: str
    quantity: int
    unit_amount: Decimal
    flat_amount: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Rounding:
    """One rounding on the way to the amount: what was exact, by which rule, to what."""

    what: str
    exact: Decimal
    rule: str
    rounded: int


@dataclass(frozen=True)
class Quote:
    """
    What a price costs at a quantity. The lines are exact; ``money`` is their sum, rounded once.

    ``price_fingerprint`` is a digest of the price's terms; the same one and the same engine give the same amount.
    """

    money: Money
    display: str
    interval: str | None
    interval_count: int | None
    lines: tuple[QuoteLine, ...]
    warnings: tuple[Caution, ...]
    rounding_trace: tuple[Rounding, ...] = ()
    price_fingerprint: str = ""
    engine_version: str = ""


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


class CurrencyNotOffered(Invalid):
    """The price has no amount in this currency."""

    code = "currency-not-offered"
    title = "The price cannot be paid in this currency"
