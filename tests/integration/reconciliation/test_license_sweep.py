"""What is paid has exactly one license, and what is not paid has none that works; folding again sets it right."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from keywright.licensing.models import Rule, named_causes
from keywright.licensing.standing import STATE_OF
from keywright.platform import clock
from keywright.reconciliation.models import Kind
from tests.integration.reconciliation.working import Works
from tests.stories import DAY_S, RECURRING, WEEKLY

_FILES = "SELECT license_sid, seq, token FROM license_files ORDER BY license_sid, seq"
_STATES = "SELECT license_sid, state FROM licenses ORDER BY license_sid"


@pytest.fixture
def shop(works: Works) -> Works:
    """One customer of each plot, all of it known to us; one of them never paid."""
    works.stripe.cast(11)
    works.reconcile(Kind.EVENT_GAP)
    assert len(works.database.execute(_FILES)) == 10
    return works


def drifted(works: Works) -> list[tuple[str, str, str, str]]:
    rows = [row for row in works.drift() if row["kind"] == "license-sweep"]
    return sorted({(row["object_type"], row["field_name"], row["ours"], row["theirs"]) for row in rows})


def test_where_everything_is_licensed_as_it_is_paid_nothing_is_found(shop: Works):
    run = shop.reconcile(Kind.LICENSE_SWEEP)

    assert (run["state"], run["drift_found"]) == ("COMPLETE", 0)
    assert run["examined"] == 9 + 1 + 10


def test_licenses_that_are_gone_come_back_with_the_same_bytes_and_without_a_second_mail(shop: Works):
    files, states = shop.database.execute(_FILES), shop.database.execute(_STATES)
    jobs = shop.database.execute("SELECT job_key FROM jobs WHERE kind LIKE 'licensing.%%' ORDER BY job_key")
    _truncate(shop, "license_files", "licenses")

    shop.reconcile(Kind.LICENSE_SWEEP)

    assert shop.database.execute(_FILES) == files
    assert shop.database.execute(_STATES) == states
    after = shop.database.execute("SELECT job_key FROM jobs WHERE kind LIKE 'licensing.%%' ORDER BY job_key")
    assert after == jobs
    assert drifted(shop) == [
        ("checkout_session", "licenses", "0", "1"),
        ("subscription_item", "licenses", "0", "1"),
    ]
    shop.reconcile(Kind.LICENSE_SWEEP)
    assert all(row["healed_at"] is not None for row in shop.drift() if row["kind"] == "license-sweep")


def _truncate(works: Works, *tables: str) -> None:
    """Empty tables as only their owner can: rows of append-only ones cannot be deleted."""
    from keywright.platform.connection import connect_with

    endpoint = works.database.endpoint
    connection = connect_with(endpoint.secret(endpoint.owner))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
            for table in tables:
                cursor.execute(f"TRUNCATE TABLE {table}")
    finally:
        connection.close()


def test_a_license_that_was_switched_off_though_it_is_paid_works_again(shop: Works):
    states = shop.database.execute(_STATES)
    shop.database.execute("UPDATE licenses SET state = 'CANCELED'")

    shop.reconcile(Kind.LICENSE_SWEEP)

    assert shop.database.execute(_STATES) == states
    assert drifted(shop) == [
        ("license", "state", "CANCELED", "ACTIVE"),
        ("subscription_item", "state", "CANCELED", "ACTIVE"),
    ]


def test_a_license_that_works_though_nothing_is_paid_is_switched_off(shop: Works):
    story = next(story for story in shop.stripe.stories if story.plot == "cancels")
    shop.stripe.client.v1.subscriptions.cancel(str(story.subscription_id))
    shop.reconcile(Kind.EVENT_GAP)
    states = shop.database.execute(_STATES)
    shop.database.execute("UPDATE licenses SET state = 'ACTIVE', causes = NULL WHERE state = 'CANCELED'")

    shop.reconcile(Kind.LICENSE_SWEEP)

    assert shop.database.execute(_STATES) == states
    assert drifted(shop) == [("license", "state", "ACTIVE", "CANCELED")]


def test_a_state_that_does_not_follow_from_its_causes_is_judged_anew(shop: Works):
    story = next(story for story in shop.stripe.stories if story.plot == "pauses and resumes")
    shop.stripe.client.v1.subscriptions.update(str(story.subscription_id), {"pause_collection": {"behavior": "void"}})
    shop.reconcile(Kind.EVENT_GAP)
    states = shop.database.execute(_STATES)
    assert "SUSPENDED" in {row["state"] for row in states}
    shop.database.execute("UPDATE licenses SET state = 'ACTIVE' WHERE state = 'SUSPENDED'")

    shop.reconcile(Kind.LICENSE_SWEEP)

    assert shop.database.execute(_STATES) == states
    assert drifted(shop) == [("license", "state", "ACTIVE", "SUSPENDED")]


def trusting(works: Works) -> list[str]:
    """Return what a sweep finds that believes what the licenses say of their causes."""
    rows = works.database.execute("SELECT license_sid, state, causes FROM licenses ORDER BY license_sid")
    return [row["license_sid"] for row in rows if STATE_OF[named_causes(row["causes"])[0].rule] != row["state"]]


def forget(works: Works, state: str) -> str:
    """Have the license of this state stand as if it were paid and nothing else were known of it; return its sid."""
    (row,) = works.database.execute("SELECT license_sid, causes FROM licenses WHERE state = %s", state)
    paid = [cause for cause in json.loads(row["causes"]) if cause[0] == Rule.PAID]
    works.database.execute(
        "UPDATE licenses SET state = 'ACTIVE', causes = %s WHERE license_sid = %s",
        json.dumps(paid),
        row["license_sid"],
    )
    return str(row["license_sid"])


def payment_of(works: Works, plot: str) -> Any:
    story = next(story for story in works.stripe.stories if story.plot == plot)
    charges = works.stripe.client.v1.charges.list({"customer": story.customer_id})
    return next(charge for charge in charges.data if charge.status == "succeeded")


def test_money_that_went_back_unseen_by_its_license_is_found_and_counts(shop: Works):
    dispute = shop.stripe.control("disputes", charge=payment_of(shop, "renews").id)
    shop.stripe.control(f"disputes/{dispute['id']}/close", status="lost")
    shop.stripe.client.v1.refunds.create({"charge": payment_of(shop, "buys once").id})
    shop.reconcile(Kind.EVENT_GAP)
    states = shop.database.execute(_STATES)
    forgetful = {forget(shop, state) for state in ("SUSPENDED", "REVOKED")}
    blind = trusting(shop)

    shop.reconcile(Kind.LICENSE_SWEEP)

    assert blind == []
    assert shop.database.execute(_STATES) == states
    assert drifted(shop) == [("license", "state", "ACTIVE", "REVOKED"), ("license", "state", "ACTIVE", "SUSPENDED")]
    repairs = shop.database.execute("SELECT subject_sid FROM audit_log WHERE action = 'RECONCILIATION_REPAIR'")
    assert {row["subject_sid"] for row in repairs if row["subject_sid"].startswith("lic_")} == forgetful
    shop.reconcile(Kind.LICENSE_SWEEP)
    assert all(row["healed_at"] is not None for row in shop.drift() if row["kind"] == "license-sweep")


def test_causes_that_do_not_hold_are_found_though_the_state_is_right(shop: Works):
    causes = "SELECT license_sid, causes FROM licenses ORDER BY license_sid"
    before = shop.database.execute(causes)
    shop.database.execute("UPDATE licenses SET causes = REPLACE(causes, 'sub_', 'sub_of_somebody_else_')")

    shop.reconcile(Kind.LICENSE_SWEEP)

    assert shop.database.execute(causes) == before
    assert {found[:2] for found in drifted(shop)} == {("license", "causes")}


def test_a_license_whose_review_is_due_is_left_to_its_review_for_a_while(shop: Works):
    now = clock.now()
    dues = [now - timedelta(minutes=1), now - timedelta(hours=2)]
    found = []
    for due in dues:
        shop.database.execute("UPDATE licenses SET state = 'SUSPENDED', review_at = %s", due)
        found.append(shop.reconcile(Kind.LICENSE_SWEEP)["drift_found"])

    assert found == [0, 10]


_MANY = """
INSERT INTO reconciliation_drift (run_sid, kind, object_type, object_id, field_name, ours, theirs, cause, found_at)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 900)
SELECT %s, 'license-sweep', 'license', CONCAT('lic_', a.n, '_', b.n), 'state', 'ACTIVE', 'REVOKED', 'it was wrong once',
       '2026-09-01'
  FROM numbers a
  JOIN (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3) b
"""


def test_however_much_is_right_again_all_of_it_is_told_as_healed_by_one_sweep(works: Works):
    earlier = works.reconcile(Kind.LICENSE_SWEEP)
    works.database.execute(_MANY, earlier["run_sid"])

    run = works.reconcile(Kind.LICENSE_SWEEP)

    assert (run["state"], {row["healed_at"] is None for row in works.drift()}) == ("COMPLETE", {False})
    assert len(works.drift()) == 2700


def test_what_was_paid_before_the_arrears_is_licensed_again(late_works: Works):
    works = late_works
    works.stripe.weekly = works.stripe.sell("Harbor", RECURRING, {**WEEKLY, "recurring": {"interval": "day"}})
    works.stripe.cast(1)
    works.stripe.control("cards", customer=works.stripe.stories[0].customer_id, behavior="decline")
    works.stripe.control("clock", advance_s=DAY_S + DAY_S // 2)
    works.reconcile(Kind.EVENT_GAP)
    files, states = works.database.execute(_FILES), works.database.execute(_STATES)
    (subscription,) = works.database.execute("SELECT status FROM subscriptions")
    _truncate(works, "license_files", "licenses")

    works.reconcile(Kind.LICENSE_SWEEP)

    assert (subscription["status"], [row["state"] for row in states]) == ("past_due", ["RESTRICTED"])
    assert (works.database.execute(_FILES), works.database.execute(_STATES)) == (files, states)
    assert drifted(works) == [("subscription_item", "licenses", "0", "1")]


def test_a_license_whose_purchase_is_gone_from_the_mirror_remembers_it(shop: Works):
    licensed = "SELECT i.item_id FROM subscription_items i JOIN licenses l ON l.source_id = i.item_id LIMIT 1"
    (item,) = shop.database.execute(licensed)
    before = shop.database.execute("SELECT * FROM subscription_items ORDER BY item_id")
    shop.database.execute("DELETE FROM subscription_items WHERE item_id = %s", item["item_id"])

    shop.reconcile(Kind.LICENSE_SWEEP)

    columns = {"updated_at"}
    after = shop.database.execute("SELECT * FROM subscription_items ORDER BY item_id")
    assert [{k: v for k, v in row.items() if k not in columns} for row in after] == [
        {k: v for k, v in row.items() if k not in columns} for row in before
    ]
    assert [found[:2] for found in drifted(shop)] == [("license", "cause")]


def test_what_is_paid_for_an_unclear_product_is_told_with_that_cause_until_it_is_licensed(works: Works):
    price = works.stripe.sell("Harbor", {**RECURRING, "usage_based": "perhaps"}, WEEKLY)
    product = _product_of(works, price)
    works.stripe.weekly = price
    works.stripe.cast(1)
    works.reconcile(Kind.EVENT_GAP)
    assert works.database.execute(_FILES) == []

    works.reconcile(Kind.LICENSE_SWEEP)
    causes = {row["cause"] for row in works.drift() if row["kind"] == "license-sweep"}
    works.stripe.client.v1.products.update(product, {"metadata": {"usage_based": "false"}})
    works.reconcile(Kind.EVENT_GAP)
    works.reconcile(Kind.LICENSE_SWEEP)

    assert causes == {f"the product {product} does not say what it licenses"}
    assert len(works.database.execute(_FILES)) == 1
    assert all(row["healed_at"] is not None for row in works.drift() if row["kind"] == "license-sweep")


@pytest.mark.parametrize("known_first", ["the mistake", "the payment"])
def test_what_is_paid_while_its_product_is_spoiled_is_licensed_as_it_was_sold_before(works: Works, known_first: str):
    product = _product_of(works, works.stripe.weekly)
    works.stripe.cast(1)
    if known_first == "the payment":
        works.reconcile(Kind.EVENT_GAP)
    works.stripe.client.v1.products.update(product, {"metadata": {"usage_based": "perhaps"}})
    works.reconcile(Kind.EVENT_GAP)
    works.reconcile(Kind.LICENSE_SWEEP)

    assert len(works.database.execute(_FILES)) == 1
    assert drifted(works) == []


def _product_of(works: Works, price: str) -> str:
    return str(works.stripe.client.v1.prices.retrieve(price).product)


def test_a_product_that_one_domain_bought_twice_is_shown_until_one_is_canceled(shop: Works):
    first, second = shop.database.execute(
        "SELECT l.license_sid, l.source_id, i.subscription_id FROM licenses l"
        " JOIN subscription_items i ON i.item_id = l.source_id JOIN subscriptions s USING (subscription_id)"
        " WHERE s.status = 'active' AND l.state = 'ACTIVE' ORDER BY l.license_sid LIMIT 2"
    )
    (there,) = shop.database.execute(
        "SELECT domain_sid, product_id FROM licenses WHERE license_sid = %s", first["license_sid"]
    )
    shop.database.execute(
        "UPDATE licenses SET domain_sid = %s, product_id = %s, customer_sid = (SELECT customer_sid FROM domains"
        " WHERE domain_sid = %s) WHERE license_sid = %s",
        there["domain_sid"],
        there["product_id"],
        there["domain_sid"],
        second["license_sid"],
    )

    shop.reconcile(Kind.LICENSE_SWEEP)
    found = [(row["ours"], row["theirs"]) for row in shop.drift() if row["field_name"] == "bought_before"]
    shop.database.execute("UPDATE licenses SET state = 'EXPIRED' WHERE license_sid = %s", first["license_sid"])
    shop.reconcile(Kind.LICENSE_SWEEP)

    assert found == [(first["license_sid"], None)]
    left = [row for row in shop.drift() if row["field_name"] == "bought_before" and row["healed_at"] is None]
    assert left == []
