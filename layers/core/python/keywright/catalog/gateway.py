"""Reads products and prices from Stripe. Called from jobs only, outside any transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keywright.platform import stripe_client


def fetch_price(price_id: str) -> list[dict[str, Any]]:
    """Return Stripe's price object with its tiers, and its product."""
    price = stripe_client.client().v1.prices.retrieve(price_id, {"expand": ["tiers", "product"]}).to_dict()
    product = price["product"]
    return [product, {**price, "product": product["id"]}]


def fetch_everything() -> Iterator[dict[str, Any]]:
    """
    Yield every product and every price, tiers included.

    By listing, not by searching: Stripe's search lags behind by up to a minute (Stripe documentation, "Search").
    """
    client = stripe_client.client()
    for product in client.v1.products.list({"limit": 100}).auto_paging_iter():
        yield product.to_dict()
    for price in client.v1.prices.list({"limit": 100, "expand": ["data.tiers"]}).auto_paging_iter():
        yield price.to_dict()
