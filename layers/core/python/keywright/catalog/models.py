"""Products, prices and what their metadata means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from keywright.platform.errors import NotFound


class LicenseKind(StrEnum):
    """What a product licenses: by time, by use, or once and for a place without a network."""

    UNLIMITED = "UNLIMITED"
    USAGE = "USAGE"
    AIR_GAPPED = "AIR_GAPPED"


@dataclass(frozen=True)
class Product:
    """A Stripe product. The four classifying metadata values are kept as the vendor wrote them."""

    product_id: str
    name: str
    description: str | None
    active: bool
    product_family: str | None
    fee_structure: str | None
    usage_based: str | None
    air_gapped: str | None
    metadata: Mapping[str, str] = field(hash=False)
    created_at: datetime


@dataclass(frozen=True)
class Tier:
    """One tier: up to and including ``up_to`` units (None: without end); amounts in minor units."""

    up_to: int | None
    unit_amount: Decimal | None
    flat_amount: Decimal | None


@dataclass(frozen=True)
class CurrencyOption:
    """What a price costs in another currency than its own: a unit amount, or tiers with the price's own borders."""

    currency: str
    unit_amount: Decimal | None
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True)
class Transform:
    """Stripe's ``transform_quantity``: divide the quantity, then round ``up`` or ``down``."""

    divide_by: int
    rounding: str


@dataclass(frozen=True)
class Price:
    """A Stripe price. ``unit_amount`` is in minor units with up to twelve decimals; None when it is tiered."""

    price_id: str
    product_id: str
    active: bool
    currency: str
    kind: str
    interval: str | None
    interval_count: int | None
    usage_type: str | None
    billing_scheme: str
    tiers_mode: str | None
    unit_amount: Decimal | None
    transform: Transform | None
    created_at: datetime
    tiers: tuple[Tier, ...] = ()
    options: tuple[CurrencyOption, ...] = ()
    options_observed_at: datetime | None = None

    @property
    def currencies(self) -> tuple[str, ...]:
        """Return every currency that the price can be paid in, its own first."""
        return (self.currency, *(option.currency for option in self.options))

    @property
    def tiers_missing(self) -> bool:
        """Tell whether Stripe has tiers that were not observed yet: events leave them out."""
        return self.billing_scheme == "tiered" and not self.tiers

    def in_option(self, option: CurrencyOption) -> Price:
        """Return the price with the amounts that it has in another currency."""
        return replace(self, currency=option.currency, unit_amount=option.unit_amount, tiers=option.tiers)


@dataclass(frozen=True)
class Problem:
    """Why a product, or one of its prices, is not sold. ``field`` is the metadata key or the price's field."""

    code: str
    field: str
    detail: str
    price_id: str | None = None


@dataclass(frozen=True)
class Review:
    """A product as staff sees it: on sale or not, and what is wrong with it."""

    product: Product
    on_sale: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class ProductFilter:
    """Which products a list holds; None matches everything."""

    product_family: str | None = None
    fee_structure: str | None = None
    usage_based: str | None = None
    air_gapped: str | None = None


@dataclass(frozen=True)
class Offer:
    """A product that may be sold, the sort of license it gives, and its prices."""

    product: Product
    license_kind: LicenseKind
    prices: tuple[Price, ...]


class PriceNotFound(NotFound):
    """No price of a product on sale has this id."""

    code = "price-not-found"
    title = "There is no such price"
