"""Reads products and prices from Stripe. Called from jobs only, outside any transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keywright.platform import stripe_client


def fetch_price(price_id: str) -> list[dict[str, Any]]:
    """Return Stripe's price object with its tiers in every currency, and its product."""
    price = (
        stripe_client.client()
        .v1.prices.retrieve(price_id, {"expand": ["tiers", "product", "currency_options"]})
        .to_dict()
    )
    product = price["product"]
    return [product, {**_with_option_tiers(price), "product": product["id"]}]


def fetch_everything() -> Iterator[dict[str, Any]]:
    """
    Yield every product and every price, tiers and currencies included.

    By listing, not by searching: Stripe's search lags behind by up to a minute (Stripe documentation, "Search").
    """
    client = stripe_client.client()
    for product in client.v1.products.list({"limit": 100}).auto_paging_iter():
        yield product.to_dict()
    expand = ["data.tiers", "data.currency_options"]
    for price in client.v1.prices.list({"limit": 100, "expand": expand}).auto_paging_iter():
        yield _with_option_tiers(price.to_dict())


def _with_option_tiers(price: dict[str, Any]) -> dict[str, Any]:
    """Fetch the tiers of a price's other currencies, each of which Stripe wants named to show them."""
    options = price.get("currency_options") or {}
    bare = [currency for currency, option in options.items() if price.get("tiers") and not option.get("tiers")]
    others = [currency for currency in bare if currency != price["currency"]]
    if not others:
        return price
    expand = ["tiers", "currency_options", *(f"currency_options.{currency}.tiers" for currency in others)]
    full = stripe_client.client().v1.prices.retrieve(price["id"], {"expand": expand}).to_dict()
    return {**full, "product": price["product"]}
