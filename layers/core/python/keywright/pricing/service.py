"""The price preview: our arithmetic over the mirrored price. Stripe is not asked."""

from __future__ import annotations

from keywright.catalog import service as catalog
from keywright.platform.db import Transaction
from keywright.pricing import rules
from keywright.pricing.models import Quote


def preview(tx: Transaction, *, price_id: str, quantity: int) -> Quote:
    """
    Return what ``quantity`` units of a price on sale cost.

    :raises PriceNotFound: if the price is unknown or not on sale
    """
    offer = catalog.get_offer(tx, price_id=price_id)
    return rules.quote(offer.prices[0], quantity=quantity)
