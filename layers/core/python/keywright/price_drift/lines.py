"""
What an invoice bills, line by line or in parts that belong together, and what of it cannot be compared at all. Pure.

Whether Stripe shows each tier of a price as a line of its own is not documented: sums are right either way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from keywright.billing.models import InvoiceLine
from keywright.billing.statements import InvoiceStatement
from keywright.price_drift.models import Billed, Reason

FINAL = frozenset({"open", "paid", "uncollectible", "void"})
"""What a draft says may still change."""

_PURCHASE = "subscription_create"


def billed(invoice: InvoiceStatement, *, trial_end: datetime | None) -> list[Billed]:
    """Return what one price and one period make up, each once, however many lines it takes."""
    together: dict[tuple[object, ...], list[InvoiceLine]] = {}
    for line in invoice.lines:
        if _left_out(line, trial_end) is None:
            what = (line.subscription_item_id, line.price_id, line.currency, line.period_start, line.period_end)
            together.setdefault(what, []).append(line)
    return [_billed(invoice, parts) for parts in together.values()]


def left_out(invoice: InvoiceStatement, *, trial_end: datetime | None) -> list[tuple[Billed, Reason]]:
    """Return the lines that are something else than a price at a quantity, with what they are."""
    reasons = [(line, _left_out(line, trial_end)) for line in invoice.lines]
    return [(_billed(invoice, [line]), reason) for line, reason in reasons if reason is not None]


def is_purchase(invoice: InvoiceStatement) -> bool:
    """Tell whether it is the first invoice of a subscription, of which the buyer was shown the amount."""
    return invoice.billing_reason == _PURCHASE


def _left_out(line: InvoiceLine, trial_end: datetime | None) -> Reason | None:
    if line.proration:
        return Reason.PRORATION
    if line.price_id is None or line.subscription_item_id is None:
        return Reason.ADDED_BY_HAND
    if line.amount == 0 and trial_end is not None and trial_end >= line.period_end:
        return Reason.TRIAL
    return None


def _billed(invoice: InvoiceStatement, parts: list[InvoiceLine]) -> Billed:
    quantity, amount = _sum(part.quantity for part in parts), sum(part.amount for part in parts)
    begins = is_purchase(invoice) or parts[0].period_end > invoice.created_at
    return Billed(
        subject_id=invoice.invoice_id,
        # The same one in whatever order the parts are told.
        line_id=min(part.line_id for part in parts),
        customer_sid=invoice.customer_sid,
        price_id=parts[0].price_id,
        quantity=quantity,
        currency=parts[0].currency,
        amount_minor=amount,
        parts=len(parts),
        unused=begins and not quantity and amount == 0,
    )


def _sum(quantities: Iterable[int | None]) -> int | None:
    """Return the sum; a part without a quantity, such as a flat fee by itself, adds none."""
    known = [quantity for quantity in quantities if quantity is not None]
    return sum(known) if known else None
