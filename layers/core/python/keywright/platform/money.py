"""Money as integer minor units, and how to show it. No float, ever."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# Stripe, "Supported currencies": amounts of these are whole units; ISK and UGX are zero-decimal in life, but
# Stripe takes them as two-decimal for backwards compatibility.
_ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())


@dataclass(frozen=True)
class Money:
    """An amount in the currency's minor unit as Stripe counts it (cents for ``usd``, whole yen for ``jpy``)."""

    minor: int
    currency: str

    def display(self) -> str:
        """Return text such as ``USD 1,234.50`` or ``JPY 1,200``."""
        digits = exponent(self.currency)
        return f"{self.currency.upper()} {Decimal(self.minor).scaleb(-digits):,.{digits}f}"


def exponent(currency: str) -> int:
    """Return how many decimal digits the currency's minor unit has in Stripe's API."""
    if currency in _ZERO_DECIMAL:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def decimal_text(amount: Decimal) -> str:
    """Return an exact amount as plain text without needless zeros: ``12.5``, ``300``."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
