"""What changing a plan would change about the price of one interval. Pure; what Stripe prorates is not part of it."""

from __future__ import annotations

from dataclasses import dataclass

from keywright.pricing.models import CurrencyNotOffered, Quote


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
    warnings: tuple[str, ...]


def compare(current: Quote, wanted: Quote) -> Change:
    """
    Return the difference between two quotes.

    :raises CurrencyNotOffered: if they are in different currencies: a subscription keeps its own
    """
    if current.money.currency != wanted.money.currency:
        raise CurrencyNotOffered(f"The subscription is paid in {current.money.currency}, and stays so.")
    same = (current.interval, current.interval_count) == (wanted.interval, wanted.interval_count)
    warnings = dict.fromkeys((*wanted.warnings, *current.warnings, *(() if same else ("INTERVAL_CHANGES",))))
    comparable = same and "METERED_ESTIMATE" not in warnings
    difference = wanted.money.minor - current.money.minor if comparable else None
    return Change(current, wanted, difference, tuple(warnings))
