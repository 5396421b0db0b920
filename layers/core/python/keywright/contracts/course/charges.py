"""
From a bill to the lines of a document, to the minor unit. Pure: the run, its rehearsal and the forecast all come here.

Each line is exact until one rounding, half away from zero; what is given back is rounded as it was charged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from keywright.billers.models import Biller
from keywright.contracts.course.changes import Bill, Slice
from keywright.contracts.course.terms import exact_amount

Usage = Callable[[Slice], int]
"""Tells how many units a metered slice is billed for."""


class DocumentKind(StrEnum):
    """What is sent: a demand, or the correction of one."""

    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


@dataclass(frozen=True)
class Line:
    """
    One line of a document: what, for which days, and its amount in minor units.

    A line of usage keeps between which moments that was ``used``, and the cut: what was stored later is not on it.
    """

    description: str
    plan_sid: str | None
    plan_version: int | None
    quantity: Decimal
    amount_minor: int
    start: date
    end: date
    proration: bool
    biller: Biller = Biller.CONTRACT
    used: tuple[datetime, datetime] | None = None
    usage_cut: datetime | None = None


@dataclass(frozen=True)
class Charge:
    """A bill with its amounts. A surplus is a credit note, whose total and lines are what it gives back."""

    bill: Bill
    kind: DocumentKind
    currency: str
    lines: tuple[Line, ...]
    total_minor: int


def no_usage(_part: Slice) -> int:
    """Bill no usage: for what is not metered."""
    return 0


def charge(bill: Bill, *, usage: Usage, cut: datetime | None = None) -> Charge:
    """
    Return what a bill comes to, by the usage that was known at a cut.

    :raises QuantityInvalid: if a quantity does not fit its price
    """
    lines = [_line(part, usage, cut) for part in bill.slices]
    total = sum(line.amount_minor for line in lines)
    currency = bill.slices[0].terms.currency
    if total >= 0 or bill.corrects is None:
        return Charge(bill, DocumentKind.INVOICE, currency, tuple(lines), max(total, 0))
    return Charge(bill, DocumentKind.CREDIT_NOTE, currency, tuple(map(_turned, lines)), -total)


def round_half_up(amount: Fraction) -> int:
    """Return the nearest whole number, halves away from zero."""
    whole = (2 * abs(amount.numerator) + amount.denominator) // (2 * amount.denominator)
    return whole if amount >= 0 else -whole


def total_of(charges: Sequence[Charge]) -> int:
    """Return what charges come to together, credit notes taken off."""
    return sum(each.total_minor if each.kind is DocumentKind.INVOICE else -each.total_minor for each in charges)


def late_line(part: Slice, *, billed: int, known: int, cut: datetime) -> Line:
    """
    Return what usage that came after its bill adds to it, or takes off.

    It is the difference of two bills, each rounded as it would have been, so that both lines together are the bill as
    it would be made now.
    """
    before, after = (round_half_up(exact_amount(part.terms, quantity=units)) for units in (billed, known))
    return Line(
        description=f"{part.terms.plan_name}: usage reported late ({part.terms.meter})",
        plan_sid=part.terms.plan_sid,
        plan_version=part.terms.plan_version,
        quantity=Decimal(known - billed),
        amount_minor=after - before,
        start=part.start,
        end=part.end,
        proration=False,
        used=part.used,
        usage_cut=cut,
    )


def _line(part: Slice, usage: Usage, cut: datetime | None) -> Line:
    terms = part.terms
    quantity = usage(part) if part.used is not None else terms.quantity
    return Line(
        description=_describe(part),
        plan_sid=terms.plan_sid,
        plan_version=terms.plan_version,
        quantity=Decimal(quantity),
        amount_minor=round_half_up(exact_amount(terms, quantity=quantity) * part.share),
        start=part.start,
        end=part.end,
        proration=part.used is None and part.share != 1,
        used=part.used if cut else None,
        usage_cut=cut if part.used else None,
    )


def _describe(part: Slice) -> str:
    name = part.terms.plan_name
    if part.used is not None:
        return f"{name}: usage ({part.terms.meter})"
    if part.share < 0:
        return f"{name}: unused time"
    return name if part.share == 1 else f"{name}: part of the period"


def _turned(line: Line) -> Line:
    return Line(**{**vars(line), "amount_minor": -line.amount_minor})
