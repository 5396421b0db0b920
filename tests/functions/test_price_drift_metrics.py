"""A line that was billed otherwise than shown is told of, whether the dispatcher comes each minute or once an hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from keywright.platform import clock, db
from keywright.price_drift import repository, rules, service
from keywright.price_drift.models import Billed, Comparison, Figures, Reason, Source
from tests.buyers import add_buyer
from tests.functions.test_job_metrics import metrics


@pytest.fixture
def drifted_at(clean_database: Any) -> datetime:
    """The moment at which one of two lines was found to differ, and a third could not be computed."""
    at = clock.now()
    equal = Comparison(
        subject_id="in_1",
        line_id="il_equal",
        customer_sid=add_buyer().customer_sid,
        price_id="price_monthly",
        quantity=1,
        currency="usd",
        source=Source.ENGINE,
        expected_minor=4900,
        actual_minor=4900,
        price_fingerprint="0" * 64,
        engine_version="1",
        compared_at=at,
    )
    other = replace(equal, line_id="il_other", actual_minor=4901)
    billed = Billed("in_1", "il_odd", equal.customer_sid, "price_odd", 1, "usd", 4900)
    odd = rules.uncompared(billed, Reason.PRICE_UNSUPPORTED, now=at)
    prorated = rules.uncompared(replace(billed, line_id="il_prorated"), Reason.PRORATION, now=at)
    db.transact(lambda tx: repository.save(tx, "in_1", [equal, other], [odd, prorated]))
    return at


def seen(at: datetime) -> Figures:
    return db.transact(lambda tx: service.read_figures(tx, now=at))


def seen_in_the_minute_before(at: datetime) -> Figures:
    """The bug: who looks once an hour sees one minute of sixty."""
    begin = at - timedelta(minutes=1)
    compared, matched = db.transact(lambda tx: repository.count_comparisons(tx, since=begin, until=at))
    return Figures(compared, compared - matched, 0)


@pytest.mark.parametrize(("look", "is_told"), [(seen, True), (seen_in_the_minute_before, False)])
@pytest.mark.parametrize("offset_s", [1, 1799, 3599])
def test_each_round_of_an_hour_tells_of_what_the_hour_brought(
    drifted_at: datetime, look: Any, offset_s: int, *, is_told: bool
):
    rounds = [drifted_at + timedelta(seconds=offset_s) + timedelta(hours=hour) for hour in range(2)]

    told = [look(at).drifted for at in rounds]

    assert (told == [1, 1]) is is_told


def test_it_is_told_no_more_when_it_is_long_over(drifted_at: datetime):
    assert seen(drifted_at + timedelta(hours=3)) == Figures(compared=0, drifted=0, uncompared=0)


def test_the_dispatcher_prints_it(drifted_at: datetime, invoke: Any, capsys: Any):
    capsys.readouterr()

    invoke("dispatcher", {"do": "dispatch"})

    said = metrics(capsys.readouterr().out)
    assert (said["PricesCompared", "all"], said["PriceDrift", "all"], said["PricesUncompared", "all"]) == (2, 1, 1)
