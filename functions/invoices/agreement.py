"""How invoices agree with our prices, as staff sees it."""

from __future__ import annotations

from keywright.platform import clock, http
from keywright.price_drift import rules
from keywright.price_drift.models import Comparison, Reason, Report, Source, Uncompared


class ComparisonView(http.Body):
    """
    A billed line that differs from what we say that it costs; ``source`` says where our amount comes from.

    The ``shown`` fields are what the buyer was shown, where somebody was. A line that Stripe told in several ``parts``,
    such as one for each tier, may differ by what it rounds of each.
    """

    subject_id: str
    line_id: str
    customer_sid: str
    price_id: str
    quantity: int
    currency: str
    source: Source
    expected_minor: int
    actual_minor: int
    price_fingerprint: str
    engine_version: str
    compared_at: str
    parts: int
    shown_price_id: str | None
    shown_quantity: int | None
    shown_currency: str | None


class UncomparedCount(http.Body):
    """How many billed lines were not compared for a reason."""

    reason: Reason
    lines: int


class DriftView(http.Body):
    """
    How many billed lines were compared to the minor unit, how many are equal, and those that are not.

    ``uncompared`` are those beside them that were not compared, and are no part of ``match_rate``.
    """

    compared: int
    matched: int
    match_rate: str | None
    uncompared: int
    uncompared_by_reason: list[UncomparedCount]
    items: list[ComparisonView]
    next_cursor: str | None


class UncomparedView(http.Body):
    """A billed line that was not compared, and why; ``detail`` says more where there is more to say."""

    subject_id: str
    line_id: str
    customer_sid: str
    price_id: str | None
    quantity: int | None
    currency: str
    actual_minor: int
    parts: int
    reason: Reason
    detail: str | None
    found_at: str


class UncomparedList(http.Body):
    """A page of billed lines that were not compared."""

    items: list[UncomparedView]
    next_cursor: str | None


def drift_view(report: Report) -> DriftView:
    """Return the report as it is told."""
    left = report.uncompared
    return DriftView(
        compared=report.compared,
        matched=report.matched,
        match_rate=rules.match_rate(compared=report.compared, matched=report.matched),
        uncompared=sum(left.values()),
        uncompared_by_reason=[UncomparedCount(reason=reason, lines=found) for reason, found in left.items()],
        items=[_comparison(comparison) for comparison in report.drift.items],
        next_cursor=report.drift.next_cursor,
    )


def uncompared_view(line: Uncompared) -> UncomparedView:
    """Return a line that was not compared as it is told."""
    return UncomparedView(**{**vars(line), "found_at": clock.to_wire(line.found_at)})


def _comparison(comparison: Comparison) -> ComparisonView:
    return ComparisonView(**{**vars(comparison), "compared_at": clock.to_wire(comparison.compared_at)})
