"""
The products of an imaginary vendor, created in the stand-in as a vendor creates them in the dashboard.

One per licensing model, and one of another product family, which Keywright must leave alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stripe import StripeClient

SESSIONS = "sessions"
MONTHLY = {"interval": "month"}
# Sessions per month: the first hundred for a flat fee, then by the piece, cheaper from a thousand on.
SESSION_TIERS = [
    {"up_to": 100, "flat_amount": 4900, "unit_amount": 0},
    {"up_to": 1000, "unit_amount_decimal": "49.63"},
    {"up_to": "inf", "unit_amount_decimal": "12.5"},
]


@dataclass(frozen=True)
class SeedProduct:
    """A product and its one price, in Stripe's parameters."""

    name: str
    metadata: dict[str, str]
    price: dict[str, Any]


def self_hosted(*, fee_structure: str, usage_based: bool = False, air_gapped: bool = False) -> dict[str, str]:
    """
    Describe a self-hosted product by the metadata that Keywright reads.
    """
    return {
        "product_family": "self_hosted",
        "fee_structure": fee_structure,
        "usage_based": str(usage_based).lower(),
        "air_gapped": str(air_gapped).lower(),
    }


PRODUCTS = (
    SeedProduct(
        "Unlimited", self_hosted(fee_structure="recurring"), {"unit_amount": 14_900, "recurring": MONTHLY}
    ),
    SeedProduct(
        "Usage-based",
        {**self_hosted(fee_structure="recurring", usage_based=True), "meters": SESSIONS},
        {
            "billing_scheme": "tiered",
            "tiers_mode": "graduated",
            "tiers": SESSION_TIERS,
            "recurring": {**MONTHLY, "usage_type": "licensed"},
        },
    ),
    SeedProduct(
        "Air-gapped", self_hosted(fee_structure="one_time", air_gapped=True), {"unit_amount": 490_000}
    ),
    SeedProduct(
        "Hosted cloud", {"product_family": "cloud"}, {"unit_amount": 2_900, "recurring": MONTHLY}
    ),
)  # fmt: skip


def seed_products(client: StripeClient) -> None:
    """
    Create every product with its price. Stripe tells Keywright about them by webhook.
    """
    client.v1.billing.meters.create(
        params={"display_name": "Sessions", "event_name": SESSIONS, "default_aggregation": {"formula": "sum"}}
    )
    for product in PRODUCTS:
        created = client.v1.products.create(params={"name": product.name, "metadata": product.metadata})
        client.v1.prices.create(params={"product": created.id, "currency": "usd", **product.price})  # type: ignore[typeddict-item]
