"""
Which prices may be sold, and what keeps the others from it. Pure.

Whatever would have to be guessed keeps a price from being sold, and is named for staff.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from keywright.catalog import metadata
from keywright.catalog.models import Price, Problem, Product
from keywright.catalog.rules import license_kind

TIERS_MODES = frozenset({"graduated", "volume"})
ROUNDINGS = frozenset({"up", "down"})
"""What becomes of a package that is not full."""


def may_sell(product: Product, price: Price) -> bool:
    """Tell whether the price is for sale: it is offered, and what it costs can be computed."""
    return is_offered(product, price) and not _uncomputable(price)


def is_offered(product: Product, price: Price) -> bool:
    """Tell whether the price fits its product: both active, nothing wrong with either that would have to be guessed."""
    active = product.active and price.active and license_kind(product) is not None
    return active and not metadata.problems_of(product) and not _contradictions(product, price)


def price_problems(product: Product, price: Price) -> tuple[Problem, ...]:
    """Return why an active price of the product is not sold."""
    return (*_contradictions(product, price), *_uncomputable(price))


def in_sold_currencies(price: Price) -> Price:
    """Return the price without the currencies in which nobody can say what it costs."""
    options = tuple(option for option in price.options if not _uncomputable(price.in_option(option)))
    return price if options == price.options else replace(price, options=options)


def review(product: Product, prices: tuple[Price, ...]) -> tuple[Problem, ...]:
    """Return all that keeps an active product, one of its active prices or a currency of it from being sold."""
    problems = [*metadata.problems_of(product)]
    for price in prices:
        problems += (*price_problems(product, price), *_option_problems(price))
    if not prices:
        problems.append(Problem("price-missing", "prices", "The product has no active price."))
    return tuple(problems)


def _option_problems(price: Price) -> Iterator[Problem]:
    """Yield what is wrong with a currency only, and not with the price as such."""
    if _uncomputable(price):
        return
    for option in price.options:
        for problem in _uncomputable(price.in_option(option)):
            yield replace(problem, field=f"currency_options.{option.currency}.{problem.field}")


def _contradictions(product: Product, price: Price) -> tuple[Problem, ...]:
    problems = []
    wanted = "recurring" if product.fee_structure == "recurring" else "one_time"
    if price.kind != wanted:
        detail = f"The price is {price.kind}, and the product's fee_structure is {product.fee_structure}."
        problems.append(Problem("price-kind-contradicts", "type", detail, price.price_id))
    if price.usage_type == "metered" and metadata.truth(product.usage_based) is False:
        detail = "The price is metered, and the product's usage_based is false."
        problems.append(Problem("price-metered-contradicts", "recurring.usage_type", detail, price.price_id))
    return tuple(problems)


def _uncomputable(price: Price) -> tuple[Problem, ...]:
    """Return why nobody can say what the price costs: what is quoted for such a price is refused."""
    if price.tiers_missing:
        detail = "The tiers have not been fetched from Stripe yet."
        return (Problem("price-tiers-missing", "tiers", detail, price.price_id),)
    return tuple(Problem("price-unsupported", field, detail, price.price_id) for field, detail in _unsupported(price))


def _unsupported(price: Price) -> Iterator[tuple[str, str]]:
    if price.billing_scheme == "tiered":
        if price.tiers_mode not in TIERS_MODES:
            yield "tiers_mode", f"The tiers mode {price.tiers_mode} is not supported."
        if price.transform is not None:
            yield "transform_quantity", "A price with tiers that is also sold in packages is not supported."
    elif price.billing_scheme != "per_unit":
        yield "billing_scheme", f"The billing scheme {price.billing_scheme} is not supported."
    elif price.unit_amount is None:
        yield "unit_amount", "The price has no unit amount: the customer would choose it."
    elif price.transform is not None and price.transform.rounding not in ROUNDINGS:
        yield "transform_quantity", f"Rounding packages {price.transform.rounding} is not supported."
