"""
Quantities of usage: exact, never negative, and each with one spelling.

Nothing here is a float, because a float has no cents.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

MAX_DIGITS = 15
MAX_DECIMALS = 12
MAX_SUM_DIGITS = 30
_TEXT = re.compile(rf"(?:0|[1-9][0-9]{{0,{MAX_SUM_DIGITS - 1}}})(?:\.[0-9]{{0,{MAX_DECIMALS - 1}}}[1-9])?")
# Wide enough that no sum of allowed values is ever rounded; a rounding would be a bug, so it raises.
_EXACT = Context(prec=MAX_SUM_DIGITS + MAX_DECIMALS, traps=[Inexact, InvalidOperation])


def amount(value: Decimal | int | str) -> Decimal:
    """
    Read one recorded value.

    :raises ValueError: if it is negative, not exact, or has more than 15 digits before or 12 after the point
    """
    if isinstance(value, bool) or not isinstance(value, (Decimal, int, str)):
        raise ValueError("A value is a Decimal, a whole number or text, never a float.")  # noqa: TRY004  one error
    try:
        exact = Decimal(value)
        text = amount_text(exact)
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a number.") from error
    if len(text.partition(".")[0]) > MAX_DIGITS or _TEXT.fullmatch(text) is None:
        raise ValueError(f"{value!r} is negative, or has more than 15 digits before or 12 after the point.")
    return exact


def amount_text(value: Decimal) -> str:
    """
    Write an amount in its one spelling: no exponent, no sign, no superfluous zero.
    """
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def is_amount(text: object) -> bool:
    """Tell whether the text is an amount in its one spelling."""
    return isinstance(text, str) and _TEXT.fullmatch(text) is not None


def is_value(text: object) -> bool:
    """Tell whether the text is the amount of a single use, which is shorter than a sum may be."""
    return isinstance(text, str) and is_amount(text) and len(text.partition(".")[0]) <= MAX_DIGITS


def add(one: Decimal, other: Decimal) -> Decimal:
    """Add exactly; a sum too long for that raises."""
    return _EXACT.add(one, other)
