"""What is on sale, and how the mirror of it is kept."""

from __future__ import annotations

from datetime import datetime

from keywright.catalog import repository, rules, sale_rules
from keywright.catalog.models import LicenseKind, Offer, Price, PriceNotFound, Product, ProductFilter, Review
from keywright.jobs import service as jobs
from keywright.platform import paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page

_LOOKED_AT_ONCE = 200


def list_offers(tx: Transaction, *, wanted: ProductFilter, limit: int, cursor: str | None) -> Page[Offer]:
    """
    Return a page of the products that may be sold, filtered by metadata, each with its active prices.

    :raises CursorInvalid: if the cursor is none of ours
    """
    offers: list[Offer] = []
    after = paging.decode(cursor)
    while len(offers) <= limit:
        # What is not for sale fills no page, so that a page may take several looks.
        products = repository.list_products(tx, wanted=wanted, after=after, limit=_LOOKED_AT_ONCE)
        offers += _offers(tx, products)
        if len(products) < _LOOKED_AT_ONCE:
            break
        after = products[-1].product_id
    return paging.page(offers, limit=limit, key=lambda offer: offer.product.product_id)


def list_reviews(tx: Transaction, *, limit: int, cursor: str | None, only_problems: bool = False) -> Page[Review]:
    """
    Return a page of the active products of the family as staff sees them, sold or not, with what is wrong.

    ``only_problems`` leaves out those with which nothing is wrong.

    :raises CursorInvalid: if the cursor is none of ours
    """
    reviews: list[Review] = []
    after = paging.decode(cursor)
    while len(reviews) <= limit:
        products = repository.list_products(tx, wanted=ProductFilter(), after=after, limit=_LOOKED_AT_ONCE)
        reviews += [review for review in _reviews(tx, products) if review.problems or not only_problems]
        if len(products) < _LOOKED_AT_ONCE:
            break
        after = products[-1].product_id
    return paging.page(reviews, limit=limit, key=lambda review: review.product.product_id)


def get_offer(tx: Transaction, *, price_id: str) -> Offer:
    """
    Return the product and license kind of a price that is offered; ``prices`` holds just this one.

    It may be one of which nobody can say yet what it costs. Whoever computes the amount is told, and sells nothing.

    :raises PriceNotFound: if it is unknown, or not on sale
    """
    price = repository.find_price(tx, price_id=price_id)
    product = None if price is None else repository.find_product(tx, product_id=price.product_id)
    if price is None or product is None or not sale_rules.is_offered(product, price):
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


def mirror_price(tx: Transaction, price: Price, *, at: datetime, by: str) -> None:
    """Set the price to what the fold says, with the tiers and other currencies that were observed so far."""
    repository.save_price(tx, price, observed_at=at, observed_by=by)
    if price.options_observed_at is not None:
        repository.save_options(tx, price)


def request_price(tx: Transaction, *, price_id: str, now: datetime, because_of: str | None = None) -> None:
    """
    Ask for a price, its tiers, its currencies and its product to be fetched.

    Once for each cause, such as an event; without one, once a day at the most.
    """
    cause = because_of or f"{now:%Y-%m-%d}"
    jobs.enqueue(tx, "catalog.fetch-price", {"price_id": price_id}, key=f"{price_id}:{cause}", now=now)


def _offers(tx: Transaction, products: list[Product]) -> list[Offer]:
    prices = repository.list_prices(tx, product_ids=[product.product_id for product in products])
    offers = []
    for product in products:
        fitting = tuple(
            sale_rules.in_sold_currencies(price)
            for price in prices
            if price.product_id == product.product_id and sale_rules.may_sell(product, price)
        )
        if fitting and (kind := rules.license_kind(product)):
            offers.append(Offer(product, kind, fitting))
    return offers


def _reviews(tx: Transaction, products: list[Product]) -> list[Review]:
    prices = repository.list_prices(tx, product_ids=[product.product_id for product in products])
    return [_review(product, [p for p in prices if p.product_id == product.product_id]) for product in products]


def _review(product: Product, prices: list[Price]) -> Review:
    on_sale = any(sale_rules.may_sell(product, price) for price in prices)
    return Review(product, on_sale, sale_rules.review(product, tuple(prices)))
