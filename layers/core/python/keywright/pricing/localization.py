"""
How an amount reads in a language: ``USD $123.45 / month``, ``USD 123,45 $ / Monat``. For people, never to be read back.

The currency's code goes before its sign, because a dollar sign alone is the sign of two dozen currencies.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast

from keywright.platform.money import Money, exponent
from keywright.pricing import currencies

if TYPE_CHECKING:
    from babel import Locale

FALLBACK = "en"

_Interval = Literal["year", "month", "week", "day"]

_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_MAX_CHOICES = 20
_RANGE = re.compile(r"\s*([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3})\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


def choose(accept_language: str) -> str:
    """Return the best language of an ``Accept-Language`` header that there is; English if it names none."""
    ranges = (_RANGE.fullmatch(part) for part in accept_language.split(",")[:_MAX_CHOICES])
    weighed = [(match[1], Decimal(match[2] or 1)) for match in ranges if match]
    for tag, weight in sorted(weighed, key=lambda choice: -choice[1]):
        if weight and (found := _known(tag)) is not None:
            return str(found)
    return FALLBACK


def find_locale(tag: str) -> str | None:
    """Return the locale that a language tag such as ``de-CH`` names; None if there is none."""
    found = _known(tag) if _RANGE.fullmatch(tag) else None
    return None if found is None else str(found)


def display(money: Money, *, locale: str, interval: str | None, interval_count: int | None) -> str:
    """Return the amount, and how often it is due, as people write them in the locale."""
    amount = _amount(money, locale)
    if interval is None:
        return amount
    return f"{amount} / {_every(interval, interval_count or 1, locale)}"


def _every(interval: str, count: int, locale: str) -> str:
    from babel.dates import format_timedelta  # noqa: PLC0415  (see _known)
    from babel.numbers import format_decimal  # noqa: PLC0415

    days = _DAYS[interval] * count
    # Nothing is rounded to a larger unit: a price for twelve months is not shown as one for a year.
    granularity = cast("_Interval", interval)
    text = format_timedelta(timedelta(days=days), granularity=granularity, threshold=math.inf, locale=locale)
    # "1 month" without its number is how the locale names one of them.
    return text.replace(format_decimal(1, locale=locale), "", 1).strip() if count == 1 else text


def _amount(money: Money, locale: str) -> str:
    from babel.numbers import format_currency  # noqa: PLC0415  (see _known)

    code = money.currency.upper()
    value = Decimal(money.minor).scaleb(-exponent(money.currency))
    pattern = _pattern(locale, currencies.shown_digits(money))
    text = format_currency(value, code, format=pattern, locale=locale, currency_digits=False)
    # A locale that has no sign for the currency writes the code, and not always a space after it.
    return f"{code} {text.replace(code, '').strip()}"


@lru_cache(maxsize=256)
def _pattern(locale: str, digits: int) -> str:
    """Return the locale's own pattern with exactly so many decimals: the library's table is not Stripe's."""
    found = _known(locale)
    assert found is not None
    pattern = str(found.currency_formats["standard"].pattern)
    return re.sub(r"0\.0+", "0." + "0" * digits if digits else "0", pattern)


@lru_cache(maxsize=256)
def _known(tag: str) -> Locale | None:
    # Only the preview shows amounts to people, and most containers never do.
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415

    parts = re.split("[-_]", tag)
    for length in range(len(parts), 0, -1):
        try:
            return Locale.parse("_".join(parts[:length]))
        except (UnknownLocaleError, ValueError):
            continue
    return None
