"""What a bill is compared with, each promise beside the judge that would break it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from keywright.billing.models import InvoiceLine
from keywright.billing.statements import InvoiceStatement
from keywright.catalog.models import Price
from keywright.platform.clock import from_unix
from keywright.price_drift import lines, rules
from keywright.price_drift.models import Billed, Comparison, Reason, Shown, Source, Uncompared
from tests.unit.pricing.prices import price, tiered

NOW = from_unix(1_790_000_000)
MONTH = 30 * 24 * 3600
GRADUATED = tiered("graduated", (10, "500", "1000"), (None, "12.5", None))
MONTHLY = price(unit_amount=Decimal(4900))
SHOWN = Shown("price_1", 1, "usd", 4900, "0" * 64, "1")
TWICE = Billed("in_1", "il_1", "cus_1", "price_1", 2, "usd", 9800)

Found = list[Comparison | Uncompared]


def invoice(*parts: tuple[int | None, int], reason: str = "subscription_cycle") -> InvoiceStatement:
    begins, ends = NOW, from_unix(1_790_000_000 + MONTH)
    told = tuple(
        InvoiceLine(f"il_{number}", "price_1", "si_1", None, quantity, amount, "usd", False, begins, ends)
        for number, (quantity, amount) in enumerate(parts)
    )
    amounts = {"amount_due": 0, "amount_paid": 0, "amount_remaining": 0, "total": 0, "attempt_count": 0}
    times = dict.fromkeys(("due_at", "next_attempt_at", "finalized_at", "paid_at"))
    ids = {"invoice_id": "in_1", "customer_sid": "cus_1", "subscription_id": "sub_1", "invoice_number": None}
    terms = {"status": "paid", "currency": "usd", "billing_reason": reason, "collection_method": None}
    return InvoiceStatement(**ids, **amounts, **terms, **times, created_at=NOW, lines=told)  # type: ignore[arg-type]


def judge_all(told: InvoiceStatement, terms: Price, shown: Shown | None = None) -> Found:
    return [rules.judge(one, terms, shown=shown, now=NOW) for one in lines.billed(told, trial_end=None)]


def judge_each_alone(told: InvoiceStatement, terms: Price, shown: Shown | None = None) -> Found:
    """The bug: each line is taken for all of an item."""
    alone = [replace(told, lines=(line,)) for line in told.lines]
    return [found for one in alone for found in judge_all(one, terms, shown)]


@pytest.mark.parametrize(("judge", "matches"), [(judge_all, True), (judge_each_alone, False)])
@pytest.mark.parametrize("parts", [((10, 6000), (3, 38)), ((None, 1000), (10, 5000), (3, 38))])
def test_parts_of_a_price_are_compared_as_one(judge, parts, *, matches: bool):
    found = judge(invoice(*parts), GRADUATED)

    assert all(isinstance(one, Comparison) and one.matched for one in found) is matches
    assert sum(one.parts for one in found) == len(parts)


def only_if_same(billed: Billed, shown: Shown) -> Shown | None:
    """The bug: what was shown is believed only where the bill says the same terms."""
    terms = (billed.price_id, billed.quantity, billed.currency)
    return shown if terms == (shown.price_id, shown.quantity, shown.currency) else None


@pytest.mark.parametrize(("believed", "matches"), [(SHOWN, False), (only_if_same(TWICE, SHOWN), True)])
def test_more_than_was_shown_is_a_difference_though_its_price_is_right(believed, *, matches: bool):
    found = rules.judge(TWICE, MONTHLY, shown=believed, now=NOW)

    assert isinstance(found, Comparison)
    assert found.matched is matches


@pytest.mark.parametrize("other", [{"price_id": "price_2"}, {"quantity": 2}, {"currency": "eur"}, {"amount_minor": 1}])
def test_whatever_differs_from_what_was_shown_is_a_difference(other):
    billed = replace(TWICE, quantity=1, amount_minor=4900)

    same, different = (rules.judge(one, MONTHLY, shown=SHOWN, now=NOW) for one in (billed, replace(billed, **other)))

    assert isinstance(same, Comparison)
    assert isinstance(different, Comparison)
    assert (same.matched, different.matched, different.expected_minor) == (True, False, 4900)
    assert different.source is Source.PREVIEW


def test_an_estimate_is_no_promise():
    metered = replace(GRADUATED, usage_type="metered")
    estimate = replace(SHOWN, estimate=True)

    first = judge_all(invoice((0, 0), reason="subscription_create"), metered, estimate)
    used = judge_all(invoice((13, 6038)), metered, estimate)

    assert [getattr(one, "reason", None) for one in first] == [Reason.NOT_USED_YET]
    assert [(one.source, one.matched) for one in used if isinstance(one, Comparison)] == [(Source.ENGINE, True)]


@pytest.mark.parametrize(
    ("bill", "usage_type"),
    [
        (invoice((0, 0), reason="subscription_create"), "licensed"),
        # Of a month that is over, the flat fee is due.
        (replace(invoice((0, 0)), created_at=from_unix(1_790_000_000 + MONTH)), "metered"),
    ],
)
def test_nothing_is_a_difference_where_something_is_due(bill, usage_type):
    (found,) = judge_all(bill, replace(GRADUATED, usage_type=usage_type))

    assert isinstance(found, Comparison)
    assert (found.expected_minor, found.actual_minor, found.matched) == (1000, 0, False)


def test_a_line_without_any_quantity_is_told_of_and_not_guessed():
    (found,) = judge_all(invoice((None, 4900)), MONTHLY, SHOWN)

    assert isinstance(found, Uncompared)
    assert found.reason is Reason.QUANTITY_MISSING
