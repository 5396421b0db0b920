"""
What a price costs at a quantity: exact until one rounding at the end, with all that is needed to check it. Pure.

Amounts are rounded once per invoice line, half up (Stripe documentation, "Decimal amounts"); tiers are parts of one
line, not lines of their own.
"""

from __future__ import annotations

import hashlib
import json
from decimal import ROUND_HALF_UP, Context, Decimal

from keywright.catalog.models import LicenseKind, Offer, Price, Tier
from keywright.platform.money import Money, decimal_text
from keywright.pricing import arithmetic, currencies
from keywright.pricing.models import Caution, CurrencyNotOffered, QuantityInvalid, Quote, Rounding

MAX_QUANTITY = 999_999_999_999

ENGINE_VERSION = "1"
"""Changes whenever the same price and quantity could give another answer than before."""

_ROUNDING = Context(prec=80, rounding=ROUND_HALF_UP)
_WHOLE = Decimal(1)


def quote_offer(offer: Offer, *, quantity: int, currency: str | None = None) -> Quote:
    """
    Return what ``quantity`` units cost of the price that is offered, if so many can be bought.

    :raises QuantityInvalid: if so many cannot be bought
    :raises CurrencyNotOffered: if the price cannot be paid in the currency
    :raises PriceTiersMissing: if the tiers were not observed yet
    :raises PriceUnsupported: if the price charges in a way that we would have to guess
    """
    if not can_be_bought(offer, quantity):
        raise QuantityInvalid("A license without limits is bought once for each domain: the quantity must be 1.")
    return quote(offer.prices[0], quantity=quantity, currency=currency)


def can_be_bought(offer: Offer, quantity: int) -> bool:
    """Tell whether the quantity fits what the product licenses: there is no second unit of what has no limits."""
    return quantity == 1 or offer.license_kind is not LicenseKind.UNLIMITED


def quote(price: Price, *, quantity: int, currency: str | None = None) -> Quote:
    """
    Return what ``quantity`` units cost per billing interval, before tax and discounts.

    :raises QuantityInvalid: if the quantity is negative or beyond what Stripe takes
    :raises CurrencyNotOffered: if the price cannot be paid in the currency
    :raises PriceTiersMissing: if the tiers were not observed yet
    :raises PriceUnsupported: if the price charges in a way that we would have to guess
    """
    if not 0 <= quantity <= MAX_QUANTITY:
        raise QuantityInvalid(f"The quantity must be between 0 and {MAX_QUANTITY}, and {quantity} is not.")
    asked = in_currency(price, currency)
    lines = arithmetic.lines(asked, quantity)
    exact = arithmetic.total(lines)
    money = Money(int(exact.quantize(_WHOLE, context=_ROUNDING)), asked.currency)
    return Quote(
        money=money,
        display=display(money, interval=asked.interval, interval_count=asked.interval_count),
        interval=asked.interval,
        interval_count=asked.interval_count,
        lines=lines,
        warnings=_warnings(asked, quantity, money),
        rounding_trace=(Rounding("invoice line", exact, "HALF_UP", money.minor),),
        price_fingerprint=fingerprint(asked),
        engine_version=ENGINE_VERSION,
    )


def in_currency(price: Price, currency: str | None) -> Price:
    """
    Return the price with the amounts that it has in a currency; without one, as it is.

    :raises CurrencyNotOffered: if it has none
    """
    if currency is None or currency == price.currency:
        return price
    option = next((option for option in price.options if option.currency == currency), None)
    if option is None:
        offered = ", ".join(price.currencies)
        raise CurrencyNotOffered(f"The price can be paid in {offered}, and not in {currency}.")
    return price.in_option(option)


def fingerprint(price: Price) -> str:
    """Return a digest of everything that the amount depends on: equal fingerprints cost the same."""
    terms = {
        "price_id": price.price_id,
        "currency": price.currency,
        "kind": price.kind,
        "interval": price.interval,
        "interval_count": price.interval_count,
        "usage_type": price.usage_type,
        "billing_scheme": price.billing_scheme,
        "tiers_mode": price.tiers_mode,
        "unit_amount": _text(price.unit_amount),
        "transform": price.transform and [price.transform.divide_by, price.transform.rounding],
        "tiers": [_tier_terms(tier) for tier in price.tiers],
    }
    canonical = json.dumps(terms, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def display(money: Money, *, interval: str | None, interval_count: int | None) -> str:
    """Return text such as ``USD 123.45 / month``, ``USD 10.00 / 3 months`` or ``USD 4,900.00``."""
    if interval is None:
        return money.display()
    every = interval if interval_count in {None, 1} else f"{interval_count} {interval}s"
    return f"{money.display()} / {every}"


def _warnings(price: Price, quantity: int, money: Money) -> tuple[Caution, ...]:
    warnings = [Caution.TAX_EXCLUDED, Caution.COUPONS_EXCLUDED]
    if price.interval is not None:
        warnings.append(Caution.PRORATION_EXCLUDED)
    if price.usage_type == "metered":
        warnings.append(Caution.METERED_ESTIMATE)
    if _more_costs_less(price, quantity, money):
        warnings.append(Caution.PRICE_CLIFF)
    if currencies.is_below_minimum(money):
        warnings.append(Caution.BELOW_MINIMUM_CHARGE)
    if currencies.is_above_maximum(money):
        warnings.append(Caution.AMOUNT_TOO_LARGE)
    if not currencies.is_chargeable(money):
        warnings.append(Caution.AMOUNT_NOT_CHARGEABLE)
    return tuple(warnings)


def _more_costs_less(price: Price, quantity: int, money: Money) -> bool:
    """Tell whether a larger quantity would cost less, as it may where the next volume tier begins."""
    if price.tiers_mode != "volume":
        return False
    beginnings = [tier.up_to + 1 for tier in price.tiers[:-1] if tier.up_to is not None and tier.up_to >= quantity]
    totals = (arithmetic.total(arithmetic.lines(price, beginning)) for beginning in beginnings)
    return any(total.quantize(_WHOLE, context=_ROUNDING) < money.minor for total in totals)


def _tier_terms(tier: Tier) -> list[object]:
    return [tier.up_to, _text(tier.unit_amount), _text(tier.flat_amount)]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else decimal_text(amount)
