"""The price preview: our arithmetic over the mirrored price. Stripe is not asked."""

from __future__ import annotations

from collections.abc import Sequence

from keywright.catalog import service as catalog
from keywright.platform.db import Transaction
from keywright.pricing import rules
from keywright.pricing.models import Quote


def preview(tx: Transaction, *, price_id: str, quantity: int, currency: str | None = None) -> Quote:
    """
    Return what ``quantity`` units of a price on sale cost.

    :raises PriceNotFound: if the price is unknown or not on sale
    """
    return preview_many(tx, price_id=price_id, quantities=[quantity], currency=currency)[0]


def preview_many(
    tx: Transaction, *, price_id: str, quantities: Sequence[int], currency: str | None = None
) -> list[Quote]:
    """
    Return what each of several quantities of a price on sale costs; the price is read once.

    :raises PriceNotFound: if the price is unknown or not on sale
    """
    price = catalog.get_offer(tx, price_id=price_id).prices[0]
    return [rules.quote(price, quantity=quantity, currency=currency) for quantity in quantities]
