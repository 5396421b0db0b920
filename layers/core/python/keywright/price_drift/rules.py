"""What something that was billed should have been, why that cannot be said, and how all of it adds up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from keywright.catalog.models import Price
from keywright.platform.errors import Invalid
from keywright.price_drift.models import Billed, Comparison, Reason, Shown, Source, Uncompared
from keywright.pricing import rules as pricing
from keywright.pricing.models import (
    CurrencyNotOffered,
    PriceTiersMissing,
    PriceUnsupported,
    QuantityInvalid,
    Quote,
)

WATCHED = timedelta(hours=2, minutes=5)
"""Two rounds of whoever looks once an hour, and a little: one round that was missed or late hides nothing."""

# Stripe has billed it, so Stripe has it: what we hold of the price is not all of it yet.
AWAITED = frozenset({Reason.PRICE_UNKNOWN, Reason.TIERS_MISSING, Reason.CURRENCY_NOT_OFFERED})

NO_PRICE_TIMES_QUANTITY = frozenset({Reason.PRORATION, Reason.TRIAL, Reason.ADDED_BY_HAND, Reason.NOT_USED_YET})
"""Nothing is wrong with these: they are something else than a price at a quantity."""

_REFUSALS: Mapping[type[Invalid], Reason] = {
    PriceTiersMissing: Reason.TIERS_MISSING,
    CurrencyNotOffered: Reason.CURRENCY_NOT_OFFERED,
    PriceUnsupported: Reason.PRICE_UNSUPPORTED,
    QuantityInvalid: Reason.QUANTITY_INVALID,
}
_DETAIL_LENGTH = 500


def judge(billed: Billed, price: Price | None, *, shown: Shown | None, now: datetime) -> Comparison | Uncompared:
    """
    Compare with what the buyer was shown, or else with what our arithmetic says; or say why that cannot be done.

    What was shown holds whatever was billed in its place: another price, quantity or currency is a difference. Where
    usage decides, what was shown is an estimate, and arithmetic is all there is.
    """
    if shown is not None and not shown.estimate:
        return compare_with_shown(billed, shown, now=now)
    if price is None:
        return uncompared(billed, Reason.PRICE_UNKNOWN, now=now)
    if billed.unused and price.usage_type == "metered":
        return uncompared(billed, Reason.NOT_USED_YET, now=now)
    if billed.quantity is None:
        return uncompared(billed, Reason.QUANTITY_MISSING, now=now)
    try:
        return _compare_with_engine(billed, price, quantity=billed.quantity, now=now)
    except tuple(_REFUSALS) as problem:
        return uncompared(billed, _REFUSALS[type(problem)], detail=problem.detail, now=now)


def is_settled(compared_with: Source | None, *, shown: Shown | None) -> bool:
    """Tell whether a line needs no comparison: it has one, and nothing that says more is known by now."""
    firm = shown is not None and not shown.estimate
    return compared_with is Source.PREVIEW or (compared_with is Source.ENGINE and not firm)


def compare_with_shown(billed: Billed, shown: Shown, *, now: datetime) -> Comparison | Uncompared:
    """Return the comparison with what the buyer was shown."""
    if billed.price_id is None or billed.quantity is None:
        return uncompared(billed, Reason.QUANTITY_MISSING, now=now)
    terms = _compared(billed, billed.price_id, billed.quantity, expected_minor=shown.amount_minor, by=shown, now=now)
    return replace(
        terms,
        source=Source.PREVIEW,
        shown_price_id=shown.price_id,
        shown_quantity=shown.quantity,
        shown_currency=shown.currency,
    )


def uncompared(billed: Billed, reason: Reason, *, now: datetime, detail: str | None = None) -> Uncompared:
    """Return that this was not compared, and why."""
    return Uncompared(
        subject_id=billed.subject_id,
        line_id=billed.line_id,
        customer_sid=billed.customer_sid,
        price_id=billed.price_id,
        quantity=billed.quantity,
        currency=billed.currency,
        actual_minor=billed.amount_minor,
        parts=billed.parts,
        reason=reason,
        detail=detail and detail[:_DETAIL_LENGTH],
        found_at=now,
    )


def match_rate(*, compared: int, matched: int) -> str | None:
    """Return the share of equal lines as text with six decimals, rounded down: one difference is never ``1``."""
    if not compared:
        return None
    millionths = matched * 1_000_000 // compared
    return f"{Decimal(millionths).scaleb(-6):.6f}"


def _compare_with_engine(billed: Billed, price: Price, *, quantity: int, now: datetime) -> Comparison:
    quote = pricing.quote(price, quantity=quantity, currency=billed.currency)
    return _compared(billed, price.price_id, quantity, expected_minor=quote.money.minor, by=quote, now=now)


def _compared(
    billed: Billed, price_id: str, quantity: int, *, expected_minor: int, by: Shown | Quote, now: datetime
) -> Comparison:
    """Return the comparison of the amounts; the terms are those that were billed."""
    return Comparison(
        subject_id=billed.subject_id,
        line_id=billed.line_id,
        customer_sid=billed.customer_sid,
        price_id=price_id,
        quantity=quantity,
        currency=billed.currency,
        source=Source.ENGINE,
        expected_minor=expected_minor,
        actual_minor=billed.amount_minor,
        price_fingerprint=by.price_fingerprint,
        engine_version=by.engine_version,
        compared_at=now,
        parts=billed.parts,
    )
