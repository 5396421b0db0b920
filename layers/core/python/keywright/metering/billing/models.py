"""Bills of usage, as the ledger makes them and the gateway sends them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class BillLine:
    """One line of a bill: what it is for, and the amount in minor units, credits below zero."""

    meter: str
    quantity: Decimal
    amount: int
    description: str
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True)
class Bill:
    """Usage that is billed by an invoice of its own."""

    bill_sid: str
    license_sid: str
    customer_sid: str
    currency: str
    stripe_customer_id: str | None
    invoice_id: str | None
    lines: tuple[BillLine, ...] = ()
