"""What is paid has exactly one license, and what is not paid has none that works; folding again sets it right."""

from __future__ import annotations

import pytest

from keywright.reconciliation.models import Kind
from tests.integration.reconciliation.working import Works
from tests.stories import RECURRING, WEEKLY

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
    assert drifted(shop) == [("license", "cause", "ACTIVE", "canceled")]


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
