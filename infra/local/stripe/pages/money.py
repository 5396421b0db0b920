"""Amounts as a person reads them. Display only; nothing computes with the result."""

from __future__ import annotations

_WITHOUT_MINOR_UNITS = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(),
)


def display(amount: int, currency: str) -> str:
    """Write 123456 of eur as ``EUR 1,234.56``."""
    if currency in _WITHOUT_MINOR_UNITS:
        return f"{currency.upper()} {amount:,}"
    sign, whole, rest = "-" if amount < 0 else "", abs(amount) // 100, abs(amount) % 100
    return f"{currency.upper()} {sign}{whole:,}.{rest:02}"
