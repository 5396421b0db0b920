"""The usage that a metered price bills: the one question that invoices have for the meters."""

from __future__ import annotations

from decimal import ROUND_FLOOR

from infra.local.stripe.account import Account


def usage_of(account: Account, meter: str, customer: str, start: int, end: int) -> int:
    """
    Return the whole units that a customer used in ``start <= time < end``.

    Less than a whole unit is not billed, and corrections cannot make a period negative.
    """
    total = account.meter_ledger.aggregate(account.store.get("billing.meter", meter), customer, start, end)
    return max(0, int(total.to_integral_value(rounding=ROUND_FLOOR)))
