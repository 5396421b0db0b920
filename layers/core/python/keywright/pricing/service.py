"""The price preview: our arithmetic over the mirrored price. Stripe is not asked."""

from __future__ import annotations

from collections.abc import Sequence

from keywright.catalog import service as catalog
from keywright.catalog.models import PriceNotFound
from keywright.platform.db import Transaction
from keywright.pricing import changes, rules
from keywright.pricing.changes import Change
from keywright.pricing.models import Quote


def preview(tx: Transaction, *, price_id: str, quantity: int, currency: str | None = None) -> Quote:
    """
    Return what ``quantity`` units of a price on sale cost.

    :raises PriceNotFound: if the price is unknown or not on sale
    """
    return preview_many(tx, price_id=price_id, quantity=quantity, points=(), currency=currency)[0]


def preview_many(
    tx: Transaction, *, price_id: str, quantity: int, points: Sequence[int], currency: str | None = None
) -> tuple[Quote, list[tuple[int, Quote]]]:
    """
    Return what ``quantity`` units of a price on sale cost, and what each point of its curve does that can be bought.

    :raises PriceNotFound: if the price is unknown or not on sale
    """
    offer = catalog.get_offer(tx, price_id=price_id)
    first = rules.quote_offer(offer, quantity=quantity, currency=currency)
    bought = [point for point in points if rules.can_be_bought(offer, point)]
    return first, [(point, rules.quote_offer(offer, quantity=point, currency=currency)) for point in bought]


def preview_change(
    tx: Transaction,
    *,
    current: tuple[str, int],
    wanted: tuple[str, int],
    currency: str | None,
) -> Change:
    """
    Return what another (price id, quantity) would change; the present price may be off sale by now.

    :raises PriceNotFound: if the wanted price is not on sale, or the present one was never observed
    """
    price = catalog.find_price(tx, price_id=current[0])
    if price is None:
        raise PriceNotFound(f"No price has the id {current[0]}.")
    now = rules.quote(price, quantity=current[1], currency=currency)
    then = preview(tx, price_id=wanted[0], quantity=wanted[1], currency=currency)
    return changes.compare(now, then)
