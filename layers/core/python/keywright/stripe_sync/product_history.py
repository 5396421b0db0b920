"""
What a product was sold as at a moment, by its history. Pure.

People type metadata, so it can say too little, or contradict itself, for a while. Who pays then bought what the product
clearly said last; only if it never had, what the first correction says. So it makes no difference whether the mistake
or the payment is known first. And a product is often made and corrected within one second, where the ids of events say
nothing of their order: the second is folded.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import chain, takewhile

from keywright.catalog.models import LicenseKind, Product
from keywright.catalog.rules import license_kind
from keywright.stripe_sync.observing import History


@dataclass(frozen=True)
class Sold:
    """A product as it counts for a purchase, and what it licenses; None while nothing that it said is clear."""

    product: Product
    kind: LicenseKind | None


def sold_at(history: History[Product], *, at: datetime, family: str) -> Sold:
    """
    Return what the product was sold as at a moment, to the second.

    While it was of another ``family`` it was not sold here, and what it said before that no longer counts.
    """
    said = list(history.states())
    then = [state for second, state in said if second <= at] or _replaced(history)
    later = [state for second, state in said if second > at]
    sold_here = takewhile(lambda product: product.product_family == family, reversed(then))
    corrected = (product for product in later if product.product_family == family)
    for product in chain(sold_here, corrected):
        if (kind := license_kind(product)) is not None:
            return Sold(product, kind)
    return Sold([*later, *then][-1], None)


def _replaced(history: History[Product]) -> list[Product]:
    """Return what the oldest observation says it replaced, where nothing older was seen."""
    before = history.observations[0].before
    return [] if before is None else [before]
