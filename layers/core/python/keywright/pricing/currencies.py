"""
What Stripe takes of an amount in a currency, beyond its number of digits. Pure.

Source: Stripe documentation, "Supported currencies": ISK and UGX are whole units in life and counted in hundredths by
the API, so that an amount must be a multiple of 100; amounts of three-decimal currencies must end in 0. HUF and TWD are
whole only when money is paid out to the vendor: charges in them have two decimals like any other.
"""

from __future__ import annotations

from keywright.platform.money import Money, exponent

_WHOLE_IN_LIFE = frozenset({"isk", "ugx"})
_THREE_DIGITS = 3
# Stripe documentation, "Minimum and maximum charge amounts": an amount has up to eight digits, in IDR up to twelve.
_MAXIMUM = 99_999_999
_MAXIMUMS = {"idr": 999_999_999_999}
_MINIMUM = 50
# Stripe documentation, "Minimum and maximum charge amounts": in minor units, where it is not 50.
_MINIMUMS = {
    "aed": 200,
    "bgn": 100,
    "czk": 1500,
    "dkk": 250,
    "gbp": 30,
    "hkd": 400,
    "huf": 17_500,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "thb": 1000,
}


def granularity(currency: str) -> int:
    """Return the smallest step, in minor units, of what can be charged in the currency."""
    if currency in _WHOLE_IN_LIFE:
        return 100
    return 10 if exponent(currency) == _THREE_DIGITS else 1


def is_chargeable(money: Money) -> bool:
    """Tell whether Stripe can charge exactly this amount."""
    return money.minor % granularity(money.currency) == 0


def is_below_minimum(money: Money) -> bool:
    """
    Tell whether the amount is too small to be charged by itself.

    Stripe carries it on the customer's balance to the next invoice.
    """
    return 0 < money.minor < _MINIMUMS.get(money.currency, _MINIMUM)


def is_above_maximum(money: Money) -> bool:
    """Tell whether the amount has more digits than Stripe takes in one charge."""
    return money.minor > _MAXIMUMS.get(money.currency, _MAXIMUM)


def shown_digits(money: Money) -> int:
    """Return how many decimals people expect to see; never so few that the text would be another amount."""
    if money.currency in _WHOLE_IN_LIFE and is_chargeable(money):
        return 0
    return exponent(money.currency)
