"""Which billed lines can be compared, and with what. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from keywright.billing.models import InvoiceLine
from keywright.billing.statements import InvoiceStatement
from keywright.price_drift.models import Billed, Comparison, Source
from keywright.pricing.models import Quote

WATCHED = timedelta(hours=2, minutes=5)
"""Two rounds of whoever looks once an hour, and a little: one round that was missed or late hides nothing."""

FINAL = frozenset({"open", "paid", "uncollectible", "void"})
"""What a draft says may still change."""


def billed_lines(invoice: InvoiceStatement, *, trial_end: datetime | None) -> list[Billed]:
    """Return the lines that one price and one quantity make up: no prorations, no trials, nothing added by hand."""
    return [
        Billed(
            subject_id=invoice.invoice_id,
            line_id=line.line_id,
            customer_sid=invoice.customer_sid,
            price_id=line.price_id,
            quantity=line.quantity,
            currency=line.currency,
            amount_minor=line.amount,
        )
        for line in invoice.lines
        if line.price_id is not None
        and line.quantity is not None
        and line.subscription_item_id is not None
        and not line.proration
        and not _is_trial(line, trial_end)
    ]


def compare(billed: Billed, quote: Quote, *, shown_minor: int | None, now: datetime) -> Comparison:
    """Return the comparison with what the buyer was shown, or else with what our arithmetic says."""
    return Comparison(
        subject_id=billed.subject_id,
        line_id=billed.line_id,
        customer_sid=billed.customer_sid,
        price_id=billed.price_id,
        quantity=billed.quantity,
        currency=billed.currency,
        source=Source.ENGINE if shown_minor is None else Source.PREVIEW,
        expected_minor=quote.money.minor if shown_minor is None else shown_minor,
        actual_minor=billed.amount_minor,
        price_fingerprint=quote.price_fingerprint,
        engine_version=quote.engine_version,
        compared_at=now,
    )


def match_rate(*, compared: int, matched: int) -> str | None:
    """Return the share of equal lines as text with six decimals, rounded down: one difference is never ``1``."""
    if not compared:
        return None
    millionths = matched * 1_000_000 // compared
    return f"{Decimal(millionths).scaleb(-6):.6f}"


def _is_trial(line: InvoiceLine, trial_end: datetime | None) -> bool:
    return line.amount == 0 and trial_end is not None and trial_end >= line.period_end
