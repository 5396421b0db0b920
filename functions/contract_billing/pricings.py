"""How a pricing is written in requests: amounts are texts of exact decimals, in the currency's minor unit."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from keywright.catalog.models import Tier
from keywright.contracts.course.terms import MAX_TIERS, Pricing, Scheme
from keywright.platform import http
from keywright.pricing.rules import MAX_QUANTITY

Amount = Annotated[str, Field(pattern=r"^\d{1,15}(\.\d{1,12})?$", examples=["1000", "12.5"])]


class TierRequest(http.Body):
    """Up to and including ``up_to`` units; the last tier has none."""

    up_to: Annotated[int | None, Field(ge=1, le=MAX_QUANTITY)] = None
    unit_amount: Amount | None = None
    flat_amount: Amount | None = None


class PricingRequest(http.Body):
    """FLAT and PER_UNIT have a ``unit_amount``; TIERED has tiers and how they are read."""

    scheme: Scheme
    unit_amount: Amount | None = None
    tiers_mode: Literal["graduated", "volume"] | None = None
    tiers: Annotated[list[TierRequest], Field(max_length=MAX_TIERS, default_factory=list)]


def pricing_of(body: PricingRequest) -> Pricing:
    """Return the pricing that a request states."""
    tiers = tuple(Tier(tier.up_to, _exact(tier.unit_amount), _exact(tier.flat_amount)) for tier in body.tiers)
    return Pricing(body.scheme, _exact(body.unit_amount), body.tiers_mode, tiers)


def _exact(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
