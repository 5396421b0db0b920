"""What changing a plan would change about the price of one interval. Pure; what Stripe prorates is not part of it."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.pricing.models import Caution, CurrencyNotOffered, PriceUnsupported, Quote


@dataclass(frozen=True)
class Change:
    """
    Two quotes and what lies between them.

    ``difference_minor`` is per interval; None where the amounts cannot be subtracted: the intervals differ, or usage
    decides one of them. ``warnings`` are those of either quote.
    """

    current: Quote
    wanted: Quote
    difference_minor: int | None
    warnings: tuple[Caution, ...]


def compare(current: Quote, wanted: Quote) -> Change:
    """
    Return the difference between two quotes.

    :raises CurrencyNotOffered: if they are in different currencies: a subscription keeps its own
    :raises PriceUnsupported: if what is wanted is paid once: that is no subscription
    """
    if wanted.interval is None:
        raise PriceUnsupported("A subscription cannot be changed to a price that is paid once.")
    if current.money.currency != wanted.money.currency:
        raise CurrencyNotOffered(f"The subscription is paid in {current.money.currency}, and stays so.")
    same = (current.interval, current.interval_count) == (wanted.interval, wanted.interval_count)
    warnings = dict.fromkeys((*wanted.warnings, *current.warnings, *(() if same else (Caution.INTERVAL_CHANGES,))))
    comparable = same and Caution.METERED_ESTIMATE not in warnings
    difference = wanted.money.minor - current.money.minor if comparable else None
    return Change(current, wanted, difference, tuple(warnings))
