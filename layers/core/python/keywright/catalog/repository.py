"""Rows of ``products``, ``prices`` and ``price_tiers``."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime

from keywright.catalog.models import Price, Product, Tier, Transform
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def find_product(tx: Transaction, *, product_id: str) -> Product | None:
    """Return the product, or None if it was never observed."""
    row = tx.one(_sql.find_product, product_id=product_id)
    return None if row is None else _product(row)


def list_products(
    tx: Transaction, *, product_family: str | None, usage_based: str | None, air_gapped: str | None
) -> list[Product]:
    """Return the active products whose metadata has these values; None matches everything."""
    rows = tx.all(_sql.list_products, product_family=product_family, usage_based=usage_based, air_gapped=air_gapped)
    return [_product(row) for row in rows]


def save_product(tx: Transaction, product: Product, *, observed_at: datetime, observed_by: str) -> None:
    """Insert the product or set it."""
    tx.run(
        _sql.save_product,
        **{**vars(product), "metadata": json.dumps(product.metadata, sort_keys=True)},
        observed_at=observed_at,
        observed_by=observed_by,
    )


def find_price(tx: Transaction, *, price_id: str) -> Price | None:
    """Return the price with its tiers, or None if it was never observed."""
    row = tx.one(_sql.find_price, price_id=price_id)
    return None if row is None else _prices(tx, [row])[0]


def list_prices(tx: Transaction, *, product_ids: list[str]) -> list[Price]:
    """Return the active prices of the products, with their tiers."""
    return _prices(tx, tx.all(_sql.list_prices, product_ids=product_ids)) if product_ids else []


def save_price(tx: Transaction, price: Price, *, observed_at: datetime, observed_by: str) -> None:
    """Insert the price or set it, and its tiers if it carries them."""
    tx.run(
        _sql.save_price,
        **{name: value for name, value in vars(price).items() if name not in {"transform", "tiers"}},
        transform_divide_by=price.transform and price.transform.divide_by,
        transform_round=price.transform and price.transform.rounding,
        observed_at=observed_at,
        observed_by=observed_by,
    )
    tx.run_many(
        _sql.save_tier,
        [{"price_id": price.price_id, "position": n, **vars(tier)} for n, tier in enumerate(price.tiers)],
    )
    if price.tiers:
        tx.run(_sql.remove_tiers, price_id=price.price_id, count=len(price.tiers))


def _product(row: Row) -> Product:
    return Product(**{**row, "active": bool(row["active"]), "metadata": json.loads(row["metadata"])})


def _prices(tx: Transaction, rows: list[Row]) -> list[Price]:
    tiers: defaultdict[str, list[Tier]] = defaultdict(list)
    price_ids = [row["price_id"] for row in rows if row["billing_scheme"] == "tiered"]
    for tier in tx.all(_sql.list_tiers, price_ids=price_ids) if price_ids else ():
        tiers[tier.pop("price_id")].append(Tier(**tier))
    return [_price(row, tuple(tiers[row["price_id"]])) for row in rows]


def _price(row: Row, tiers: tuple[Tier, ...]) -> Price:
    divide_by, rounding = row.pop("transform_divide_by"), row.pop("transform_round")
    row["interval"] = row.pop("recurring_interval")
    row["active"] = bool(row["active"])
    return Price(**row, transform=Transform(divide_by, rounding) if divide_by else None, tiers=tiers)
