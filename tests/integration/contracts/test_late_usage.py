"""Usage that is reported after its contract billed the period: billed by the product's policy, once and exactly."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keywright.contracts import billing_run, license_jobs, subscribing
from keywright.contracts.course.changes import Slice
from keywright.contracts.course.terms import UsageType
from keywright.contracts.desk import Desk
from keywright.contracts.subscriptions.models import Subscription
from keywright.contracts.subscriptions.usage import quantity
from keywright.licensing import gateway
from keywright.platform import clock, db
from keywright.platform.db import Transaction
from tests.agreements import add_agreement, add_plan, add_product, desk, subscribe
from tests.conftest import Database
from tests.metered import Metered, usage
from tests.queue_hints import drop

BEGAN = (clock.now() - timedelta(days=70)).replace(microsecond=0)
DAY = timedelta(days=1)


def forgetting(tx: Transaction, subscription: Subscription, part: Slice, _cut: Any) -> int:
    """Count usage as it is now, whatever cut is asked for: no bill could tell what it had billed."""
    return quantity(tx, subscription, part, now=BEGAN + 69 * DAY)


class Books:
    """A metered contract subscription of 3 cents a call, whose first period has 10.5 calls."""

    def __init__(self, database: Database, policy: str, *, meter: str = "calls", **parts: Any) -> None:
        drop("JOBS")
        self.database, self.parts, self.meter = database, parts, meter
        metadata = json.dumps({"meters": "calls,level:last", "late_usage": policy})
        product = add_product("prod_usage", metadata=metadata, usage_based="true")
        plan = add_plan("usage", product_id=product, amount="3", usage_type=UsageType.METERED, meter=meter)
        agreement = add_agreement()
        self.subscription = subscribe(agreement, BEGAN, plan_sid=plan)
        self.make_file(0)
        (row,) = database.execute("SELECT license_sid, token FROM license_files ORDER BY seq DESC LIMIT 1")
        self.metered = Metered(agreement.buyer, row["license_sid"], row["token"], item_id="", subscription_id="")
        self.report("u1", "10.5", day=1, on=1)

    def make_file(self, day: int) -> None:
        keys, sid, one = gateway.key_ring(), self.subscription.subscription_sid, self.desk(day)
        db.transact(
            lambda tx: license_jobs.issue(tx, one, subscription_sid=sid, keys=keys, issuer="https://api.example.test")
        )
        query = "SELECT license_sid, token FROM license_files ORDER BY seq DESC LIMIT 1"
        if day:
            self.metered = replace(self.metered, token=self.database.execute(query)[0]["token"])

    def desk(self, day: float) -> Desk:
        return desk(BEGAN + day * DAY, **self.parts)

    def report(self, name: str, value: str, *, day: float, on: float) -> None:
        """Report use of a day, on a day."""
        event = usage(name, value, at=BEGAN + day * DAY + timedelta(hours=1), meter=self.meter)
        assert self.metered.report(event, now=BEGAN + on * DAY + timedelta(hours=2)) == [("accepted", None)]

    def bill(self, day: float) -> None:
        one, sid = self.desk(day), self.subscription.subscription_sid
        db.transact(lambda tx: billing_run.bill(tx, one, subscription_sid=sid, as_of=one.now))

    def documents(self) -> list[tuple[str, list[tuple[int, int]]]]:
        """Return each document's kind, and quantity and amount of its lines."""
        query = (
            "SELECT invoice_sid, document_kind, quantity, amount_minor FROM contract_invoice_lines"
            " JOIN contract_invoices USING (invoice_sid) ORDER BY billed_at, invoice_sid, line_no"
        )
        found: dict[str, tuple[str, list[tuple[int, int]]]] = {}
        for row in self.database.execute(query):
            lines = found.setdefault(row["invoice_sid"], (row["document_kind"], []))[1]
            lines.append((int(row["quantity"]), row["amount_minor"]))
        return list(found.values())


FIRST = ("INVOICE", [(11, 33)])


def late(database: Database, policy: str, **parts: Any) -> Books:
    """Bill the first period, report for it afterwards, and bill again, twice."""
    books = Books(database, policy, **parts)
    books.bill(33)
    books.make_file(33)
    books.report("u2", "4", day=2, on=34)
    for _ in range(2):
        books.bill(35)
    return books


def test_the_next_bill_has_what_came_late_on_a_line_of_its_own(clean_database: Database) -> None:
    books = late(clean_database, "BILL_NEXT")
    waiting = books.documents()

    for _ in range(2):
        books.bill(65)

    # 10.5 and 4 are 15 begun calls, of which 11 were billed.
    assert (waiting, books.documents()) == ([FIRST], [FIRST, ("INVOICE", [(0, 0), (4, 12)])])
    (total,) = clean_database.execute("SELECT SUM(total_minor) AS total FROM contract_invoices")
    assert int(total["total"]) == 15 * 3


def test_an_adjustment_is_billed_at_once_and_once(clean_database: Database) -> None:
    books = late(clean_database, "ADJUST")

    books.report("u3", "1", day=3, on=36)
    for day in (37, 38, 65):
        books.bill(day)

    assert books.documents() == [FIRST, ("INVOICE", [(4, 12)]), ("INVOICE", [(1, 3)]), ("INVOICE", [(0, 0)])]


def test_what_is_dropped_is_on_no_bill(clean_database: Database) -> None:
    books = late(clean_database, "DROP_AND_RECORD")

    books.bill(65)

    assert books.documents() == [FIRST, ("INVOICE", [(0, 0)])]
    assert len(clean_database.execute("SELECT 1 FROM usage_events")) == 2


def test_what_comes_late_for_the_last_bill_is_billed_by_itself(clean_database: Database) -> None:
    books = late(clean_database, "BILL_NEXT")
    sid, one = books.subscription.subscription_sid, books.desk(40)
    db.transact(lambda tx: subscribing.cancel(tx, one, subscription_sid=sid, at_period_end=False, credits_unused=False))

    for day in (41, 42):
        books.bill(day)

    assert sum(amount for _, lines in books.documents() for _, amount in lines) == 15 * 3


def test_what_is_corrected_downwards_is_given_back_on_its_invoice(clean_database: Database) -> None:
    books = Books(clean_database, "BILL_NEXT", meter="level")
    books.bill(33)
    books.make_file(33)
    books.report("u2", "4", day=2, on=34)

    for _ in range(2):
        books.bill(35)

    assert books.documents() == [FIRST, ("CREDIT_NOTE", [(-7, 21)])]


def test_a_count_without_its_cut_is_caught(clean_database: Database) -> None:
    books = late(clean_database, "ADJUST", usage=forgetting)

    assert books.documents() != [FIRST, ("INVOICE", [(4, 12)])]


@pytest.mark.parametrize(("policy", "found"), [("ADJUST", 1), ("BILL_NEXT", 1)])
def test_the_run_finds_whose_usage_came_late(clean_database: Database, policy: str, found: int) -> None:
    books = Books(clean_database, policy)
    books.bill(33)
    books.make_file(33)
    clean_database.execute("DELETE FROM jobs")
    none = db.transact(lambda tx: billing_run.request(tx, now=BEGAN + 34 * DAY))
    before = len(clean_database.execute("SELECT 1 FROM jobs WHERE kind = 'contracts.bill'"))

    books.report("u2", "4", day=2, on=34)
    db.transact(lambda tx: billing_run.request(tx, now=BEGAN + 35 * DAY))

    after = len(clean_database.execute("SELECT 1 FROM jobs WHERE kind = 'contracts.bill'"))
    assert (none, before, after) == (None, 0, found)
