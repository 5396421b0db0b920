"""The cost page is what its prices and assumptions give."""

from __future__ import annotations

from decimal import Decimal

from infra import cost
from infra.constructs.alarms import ALARMS
from infra.cost_tables import ASSUMPTIONS, PRICES
from infra.profiles import LARGE, SMALL
from tests.infra.assembly import Assembly


def test_the_page_is_computed():
    assert cost.PAGE.read_text() == cost.page(alarms=len(ALARMS))


def test_every_price_says_where_it_is_from_and_every_assumption_why():
    assert [name for name, each in PRICES.items() if not (each.source and each.standing and each.unit)] == []
    assert [name for name, each in ASSUMPTIONS.items() if len(each.why) < 10] == []
    assert all(isinstance(each.dollars, Decimal) for each in PRICES.values())


def test_a_sleeping_database_costs_a_share_of_one_that_never_sleeps():
    (small, *_), (large, *_) = cost.at_rest(SMALL, alarms=0), cost.at_rest(LARGE, alarms=0)

    # 0.5 ACU for 315 of 3,600 seconds, and 1 GB.
    assert small[1].quantize(Decimal("0.01")) == Decimal("3.93")
    assert large[1].quantize(Decimal("0.01")) == Decimal("175.30")


def test_the_secrets_that_are_paid_for_are_those_that_are_made(assembly: Assembly, large: Assembly):
    for profile, made in ((SMALL, assembly), (LARGE, large)):
        paid = {name: dollars for name, dollars, _ in cost.at_rest(profile, alarms=0)}["secrets"]

        assert paid == len(made.of_type("AWS::SecretsManager::Secret")) * PRICES["secret"].dollars


def test_ten_thousand_licenses_cost_their_webhooks_jobs_and_mails():
    lines = {name: dollars for name, dollars, _ in cost.per_10_000_licenses()}

    assert lines["mail"] == Decimal("1.00")
    assert lines["webhooks"] == cost.total(cost.per_million_webhooks()) * 80_000 / 1_000_000
