"""What is on sale, and how the mirror of it is kept."""

from __future__ import annotations

from datetime import datetime

from keywright.catalog import repository, rules
from keywright.catalog.models import LicenseKind, Offer, Price, PriceNotFound, Product
from keywright.jobs import service as jobs
from keywright.platform.db import Transaction


def list_offers(
    tx: Transaction, *, product_family: str | None, usage_based: str | None, air_gapped: str | None
) -> list[Offer]:
    """Return the products that may be sold, filtered by metadata, each with its active prices."""
    products = repository.list_products(
        tx, product_family=product_family, usage_based=usage_based, air_gapped=air_gapped
    )
    prices = repository.list_prices(tx, product_ids=[product.product_id for product in products])
    offers = []
    for product in products:
        fitting = tuple(
            price for price in prices if price.product_id == product.product_id and rules.may_sell(product, price)
        )
        if fitting and (kind := rules.license_kind(product)):
            offers.append(Offer(product, kind, fitting))
    return offers


def get_offer(tx: Transaction, *, price_id: str) -> Offer:
    """
    Return the product and license kind of a price that may be sold; ``prices`` holds just this one.

    :raises PriceNotFound: if it is unknown, or not on sale
    """
    price = repository.find_price(tx, price_id=price_id)
    product = None if price is None else repository.find_product(tx, product_id=price.product_id)
    if price is None or product is None or not rules.may_sell(product, price):
        raise PriceNotFound(f"No price on sale has the id {price_id}.")
    kind = rules.license_kind(product)
    assert kind is not None
    return Offer(product, kind, (price,))


def find_product_of(tx: Transaction, *, price_id: str) -> tuple[Product, LicenseKind | None] | None:
    """Return the product behind a price, sold or not, and what it licenses; None if either is unknown."""
    price = repository.find_price(tx, price_id=price_id)
    product = None if price is None else repository.find_product(tx, product_id=price.product_id)
    return None if product is None else (product, rules.license_kind(product))


def find_price(tx: Transaction, *, price_id: str) -> Price | None:
    """Return a price with its tiers, on sale or not."""
    return repository.find_price(tx, price_id=price_id)


def find_product(tx: Transaction, *, product_id: str) -> Product | None:
    """Return a product by id, sold or not."""
    return repository.find_product(tx, product_id=product_id)


def mirror_product(tx: Transaction, product: Product, *, at: datetime, by: str) -> None:
    """Set the product to what the fold says; ``by`` is the observation that decided it."""
    repository.save_product(tx, product, observed_at=at, observed_by=by)


def mirror_price(tx: Transaction, price: Price, *, at: datetime, by: str, now: datetime) -> None:
    """Set the price to what the fold says; tiers that events leave out are fetched by a job."""
    repository.save_price(tx, price, observed_at=at, observed_by=by)
    if price.tiers_missing:
        request_price(tx, price_id=price.price_id, now=now)


def request_price(tx: Transaction, *, price_id: str, now: datetime) -> None:
    """Ask for a price, its tiers and its product to be fetched; once a day at the most."""
    jobs.enqueue(tx, "catalog.fetch-price", {"price_id": price_id}, key=f"{price_id}:{now:%Y-%m-%d}", now=now)
