"""
Usage that was reported after its bill: on the next bill, on a document of its own, or on none, as the product says.

Each line of usage keeps its cut, so what is late is the difference between two exact sums. Whoever calls has locked the
subscription: billing the difference moves the cut, and doing it again finds none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from keywright.catalog import service as catalog
from keywright.contracts.course.changes import Bill, Course, Slice
from keywright.contracts.course.charges import Charge, DocumentKind, Line, late_line
from keywright.contracts.desk import Desk
from keywright.contracts.invoices import repository as invoice_repository
from keywright.contracts.subscriptions.models import Subscription
from keywright.metering.models import LatePolicy
from keywright.metering.rules import late_policy
from keywright.platform.db import Transaction

_LOOKED_BACK = timedelta(days=400)
_PAGE = 500


@dataclass(frozen=True)
class Adjustment:
    """A document of its own for usage that came late, and the sid of the invoice that billed the span at first."""

    charge: Charge
    invoice_sid: str


@dataclass(frozen=True)
class _Late:
    line: Line
    bill: Bill
    policy: LatePolicy
    invoice_sid: str
    documents: int


def charge(tx: Transaction, desk: Desk, subscription: Subscription, bill: Bill, earlier: Sequence[Bill]) -> Charge:
    """Return what a bill comes to, with what has come late for earlier ones where that goes on the next bill."""
    charged = desk.charge(tx, subscription, bill)
    if not bill.is_metered or charged.kind is DocumentKind.CREDIT_NOTE:
        return charged
    lines = [each.line for each in _late(tx, desk, subscription, earlier) if _is_for_next_bill(each)]
    total = charged.total_minor + sum(line.amount_minor for line in lines)
    return replace(charged, lines=(*charged.lines, *lines), total_minor=total)


def adjustments(tx: Transaction, desk: Desk, subscription: Subscription, course: Course) -> list[Adjustment]:
    """Return the documents for what came late and goes on no next bill: by policy, or because none will come."""
    made = course.bills[: subscription.bills]
    has_next = (course.ended_at is None and course.terms.is_metered) or len(made) < len(course.bills)
    return [
        Adjustment(_document(each, desk.now), each.invoice_sid)
        for each in _late(tx, desk, subscription, made)
        if each.policy is not LatePolicy.DROP_AND_RECORD and not (has_next and _is_for_next_bill(each))
    ]


def list_reported(tx: Transaction, *, now: datetime) -> Iterator[str]:
    """Yield the subscriptions for which usage came after its bill."""
    page: list[str] | None = None
    while page is None or len(page) == _PAGE:
        last = page[-1] if page else ""
        page = invoice_repository.list_reported_late(tx, since=now - _LOOKED_BACK, after_sid=last, limit=_PAGE)
        yield from page


def _late(tx: Transaction, desk: Desk, subscription: Subscription, bills: Sequence[Bill]) -> Iterator[_Late]:
    """Yield, for each span that was billed, what more or less is known of it now."""
    parts = [(bill, part) for bill in bills for part in bill.slices if part.used is not None]
    if not parts:
        return
    cuts = invoice_repository.list_usage_cuts(tx, subscription_sid=subscription.subscription_sid)
    billed = {(row["used_from"], row["used_until"]): row for row in cuts}
    for bill, part in parts:
        row = billed.get(part.used)  # type: ignore[arg-type]
        if row is None or row["usage_cut"] >= desk.now:
            continue
        before = desk.usage(tx, subscription, part, row["usage_cut"])
        line = late_line(part, billed=before, known=desk.usage(tx, subscription, part, desk.now), cut=desk.now)
        if line.amount_minor:
            yield _Late(line, bill, _policy(tx, part), row["invoice_sid"], row["documents"])


def _policy(tx: Transaction, part: Slice) -> LatePolicy:
    product = catalog.find_product(tx, product_id=part.terms.product_id)
    return late_policy({} if product is None else product.metadata)


def _is_for_next_bill(late: _Late) -> bool:
    """Tell whether the next bill has it. What is given back is given back on the invoice that billed it."""
    return late.policy is LatePolicy.BILL_NEXT and late.line.amount_minor > 0


def _document(late: _Late, now: datetime) -> Charge:
    is_credit = late.line.amount_minor < 0
    amount = abs(late.line.amount_minor)
    # The documents of the span so far number this one: whoever comes second with the same number is refused.
    key = f"{late.bill.billing_key}:late:{late.documents}"
    bill = Bill(key, now, late.bill.start, late.bill.end, late.bill.slices)
    kind = DocumentKind.CREDIT_NOTE if is_credit else DocumentKind.INVOICE
    currency = late.bill.slices[0].terms.currency
    return Charge(bill, kind, currency, (replace(late.line, amount_minor=amount),), amount)
