"""Subscriptions of more items than Stripe puts into an event: a license for each of them, and none is taken away."""

from __future__ import annotations

import random
from typing import Any

import pytest

from keywright.licensing import tokens
from keywright.platform import clock, db
from keywright.reconciliation import gateway, rules
from keywright.reconciliation.models import Kind
from keywright.stripe_sync import inbox
from keywright.stripe_sync import rules as stripe_rules
from tests.integration.reconciliation import test_long_invoices as invoices
from tests.integration.reconciliation.test_long_invoices import doubts
from tests.integration.reconciliation.working import Works
from tests.mirror_of_stripe import differences, of_mirror, of_stripe
from tests.stories import RECURRING, WEEKLY

MANY = 12


def subscribe(works: Works) -> str:
    """Let a customer of ours subscribe to so many products at once; return the subscription."""
    story, v1 = works.stripe.stories[0], works.stripe.client.v1
    prices = [works.stripe.sell(f"Pier {number}", RECURRING, WEEKLY) for number in range(MANY)]
    given: Any = {
        "customer": story.customer_id,
        "items": [{"price": price} for price in prices],
        "metadata": {"product_family": "self_hosted", "domain_sid": story.buyer.domain_sid},
    }
    return str(v1.subscriptions.create(given).id)


def fetch(works: Works) -> None:
    """Carry out the fetches of this slot of time, and let the next doubt have one of its own."""
    invoices.fetch(works)
    works.database.execute("UPDATE jobs SET job_key = job_sid WHERE kind = 'stripe_sync.refetch'")


def items(works: Works, subscription_id: str) -> list[str]:
    listed = works.stripe.client.v1.subscription_items.list({"subscription": subscription_id, "limit": 100})
    return [item.id for item in listed.data]


def licensed(works: Works, subscription_id: str) -> dict[str, str]:
    """Return the state of each license of the subscription, by its item."""
    rows = works.database.execute(
        "SELECT l.source_id, l.state, f.token FROM licenses l JOIN license_files f ON f.license_sid = l.license_sid"
    )
    claims = [(row, stripe_subscription(row["token"])) for row in rows]
    return {row["source_id"]: row["state"] for row, cause in claims if cause == subscription_id}


def stripe_subscription(token: str) -> str | None:
    subscription = tokens.claims_of(token).get("cause", {}).get("subscription")
    return None if subscription is None else str(subscription)


def ever_ended(works: Works) -> list[dict[str, Any]]:
    return works.database.execute("SELECT * FROM audit_log WHERE new_value LIKE '%%CANCELED%%'")


def unlike_stripe(works: Works) -> list[str]:
    kinds = ("subscriptions", "subscription_items")
    expected = of_stripe(each for each in works.stripe.everything() if each.get("object") == "subscription")
    held = of_mirror(works.database)
    return differences(expected, {key: held[key] for key in held if key.split()[0] in kinds})


@pytest.mark.parametrize("seed", range(2))
def test_whatever_the_order_every_item_of_a_long_subscription_is_licensed(late_works: Works, seed: int):
    works = late_works
    works.stripe.cast(1)
    subscription_id = subscribe(works)
    works.stripe.client.v1.subscriptions.update(subscription_id, {"metadata": {"note": "long"}})
    events = [event.to_dict() for event in works.stripe.client.v1.events.list({"limit": 100}).auto_paging_iter()]
    random.Random(seed).shuffle(events)
    half = len(events) // 2
    for part in (events[:half], events[half:] + events[: half // 2]):
        for event in part:
            told = stripe_rules.read_event(stripe_rules.event_body(event))
            db.transact(lambda tx, told=told: inbox.receive(tx, told, now=clock.now()))  # type: ignore[misc]
        works.finish()
        fetch(works)

    assert licensed(works, subscription_id) == dict.fromkeys(items(works, subscription_id), "ACTIVE")
    assert (unlike_stripe(works), doubts(works), ever_ended(works)) == ([], [], [])


def test_an_item_loses_its_license_when_stripe_has_it_no_more_and_not_before(works: Works):
    works.stripe.cast(1)
    subscription_id = subscribe(works)
    works.reconcile(Kind.EVENT_GAP)
    fetch(works)
    every = items(works, subscription_id)
    works.stripe.control("clock", advance_s=3600)
    works.stripe.client.v1.subscription_items.delete(every[0], {"proration_behavior": "none"})

    works.reconcile(Kind.EVENT_GAP)
    before, doubted = licensed(works, subscription_id), doubts(works)
    fetch(works)

    assert before == dict.fromkeys(every, "ACTIVE")
    assert [object_id for object_id, _ in doubted] == [subscription_id]
    assert licensed(works, subscription_id) == {**before, every[0]: "CANCELED"}
    assert (unlike_stripe(works), doubts(works)) == ([], [])


def test_the_sweep_compares_items_that_stripe_does_not_embed(works: Works):
    works.stripe.cast(1)
    subscription_id = subscribe(works)
    works.reconcile(Kind.EVENT_GAP)
    fetch(works)
    last = items(works, subscription_id)[-1]
    works.database.execute("UPDATE subscription_items SET quantity = 9 WHERE item_id = %s", last)

    works.reconcile(Kind.OBJECT_SWEEP)

    assert unlike_stripe(works) == []
    assert {row["field_name"] for row in works.drift() if row["object_id"] == subscription_id} == {
        f"items.{last}.quantity"
    }
    assert works.reconcile(Kind.OBJECT_SWEEP)["drift_found"] == 0


def test_a_page_ends_where_its_items_would_take_too_many_requests(works: Works):
    works.stripe.cast(1)
    longest = {subscribe(works) for _ in range(2)}
    cursor: str | None = "subscription:"
    seen = []

    while cursor is not None and cursor.startswith("subscription:"):
        page = gateway.list_objects(cursor, since=clock.now() - rules.RECENT, asked_at=clock.now(), most_long=1)
        seen.append(page.subjects)
        cursor = page.next_cursor

    found = [subscription for part in seen for subscription in part]
    assert [len(part) for part in seen] == [1, 2]
    assert {subscription["id"] for subscription in found if len(subscription["items"]["data"]) == MANY} == longest
