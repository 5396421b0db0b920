"""Rows of ``products``, of ``prices``, and of what hangs on a price: its tiers and its other currencies."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime

from keywright.catalog.models import CurrencyOption, Price, Product, ProductFilter, Tier, Transform
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)

# What a price has that is no column of its own, or is set by ``save_options``.
_BESIDE = frozenset({"transform", "tiers", "options", "options_observed_at"})


def find_product(tx: Transaction, *, product_id: str) -> Product | None:
    """Return the product, or None if it was never observed."""
    row = tx.one(_sql.find_product, product_id=product_id)
    return None if row is None else _product(row)


def list_products(tx: Transaction, *, wanted: ProductFilter, after: str, limit: int) -> list[Product]:
    """Return active products with these metadata values whose id follows ``after``."""
    return [_product(row) for row in tx.all(_sql.list_products, **vars(wanted), after=after, limit=limit)]


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
        **{name: value for name, value in vars(price).items() if name not in _BESIDE},
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


def save_options(tx: Transaction, price: Price) -> None:
    """Replace what the price costs in other currencies."""
    price_id = price.price_id
    tx.run(_sql.mark_options, price_id=price_id, observed_at=price.options_observed_at)
    tx.run(_sql.remove_option_tiers, price_id=price_id)
    tx.run(_sql.remove_options, price_id=price_id)
    tx.run_many(
        _sql.add_option,
        [
            {"price_id": price_id, "currency": option.currency, "unit_amount": option.unit_amount}
            for option in price.options
        ],
    )
    tx.run_many(
        _sql.add_option_tier,
        [
            {"price_id": price_id, "currency": option.currency, "position": n, **vars(tier)}
            for option in price.options
            for n, tier in enumerate(option.tiers)
        ],
    )


def _product(row: Row) -> Product:
    return Product(**{**row, "active": bool(row["active"]), "metadata": json.loads(row["metadata"])})


def _prices(tx: Transaction, rows: list[Row]) -> list[Price]:
    tiers: defaultdict[str, list[Tier]] = defaultdict(list)
    price_ids = [row["price_id"] for row in rows if row["billing_scheme"] == "tiered"]
    for tier in tx.all(_sql.list_tiers, price_ids=price_ids) if price_ids else ():
        tiers[tier.pop("price_id")].append(Tier(**tier))
    options = _options(tx, [row["price_id"] for row in rows])
    return [_price(row, tuple(tiers[row["price_id"]]), tuple(options[row["price_id"]])) for row in rows]


def _options(tx: Transaction, price_ids: list[str]) -> defaultdict[str, list[CurrencyOption]]:
    options: defaultdict[str, list[CurrencyOption]] = defaultdict(list)
    tiers: defaultdict[tuple[str, str], list[Tier]] = defaultdict(list)
    rows = tx.all(_sql.list_options, price_ids=price_ids) if price_ids else []
    for tier in tx.all(_sql.list_option_tiers, price_ids=price_ids) if rows else ():
        tiers[tier.pop("price_id"), tier.pop("currency")].append(Tier(**tier))
    for row in rows:
        price_id = row.pop("price_id")
        options[price_id].append(CurrencyOption(**row, tiers=tuple(tiers[price_id, row["currency"]])))
    return options


def _price(row: Row, tiers: tuple[Tier, ...], options: tuple[CurrencyOption, ...]) -> Price:
    divide_by, rounding = row.pop("transform_divide_by"), row.pop("transform_round")
    row["interval"] = row.pop("recurring_interval")
    row["active"] = bool(row["active"])
    return Price(**row, transform=Transform(divide_by, rounding) if divide_by else None, tiers=tiers, options=options)
