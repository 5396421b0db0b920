"""What differs from Stripe is named with its cause and healed through the inbox; a sweep that failed is no success."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keywright.platform import clock, db
from keywright.reconciliation import gateway, object_sweep, rules, service
from keywright.reconciliation.models import Kind, Page, Run
from keywright.stripe_sync import inbox
from keywright.stripe_sync import rules as stripe_rules
from tests.integration.reconciliation.working import Works
from tests.mirror_of_stripe import differences, of_mirror, of_stripe


def unlike_stripe(works: Works) -> list[str]:
    """Return in what the mirror differs from the subscriptions and invoices that Stripe has."""
    v1 = works.stripe.client.v1
    subscriptions = v1.subscriptions.list({"limit": 100, "status": "all"}).auto_paging_iter()
    invoices = v1.invoices.list({"limit": 100}).auto_paging_iter()
    expected = of_stripe([*(each.to_dict() for each in subscriptions), *(each.to_dict() for each in invoices)])
    looked_at = ("subscriptions", "subscription_items", "invoices", "invoice_lines")
    held = {key: row for key, row in of_mirror(works.database).items() if key.split()[0] in looked_at}
    return differences(expected, held)


@pytest.fixture
def shop(works: Works) -> Works:
    """Four customers, all of it known to us."""
    works.stripe.cast(4)
    works.reconcile(Kind.EVENT_GAP)
    assert unlike_stripe(works) == []
    return works


def drifted(works: Works) -> set[tuple[str, str, str]]:
    rows = [row for row in works.drift() if row["kind"] == "object-sweep"]
    return {(row["object_type"], row["field_name"], row["cause"]) for row in rows}


def test_where_nothing_differs_nothing_is_found_and_nothing_written(shop: Works):
    before = shop.database.execute("SELECT * FROM subscriptions ORDER BY 1")

    run = shop.reconcile(Kind.OBJECT_SWEEP)

    assert (run["state"], run["drift_found"], run["received"]) == ("COMPLETE", 0, 0)
    # Products, prices, what four customers bought and how they paid; the other family's is left alone.
    assert run["examined"] == 3 + 3 + 4 + 4 + 3 * 4
    assert shop.database.execute("SELECT * FROM subscriptions ORDER BY 1") == before


def test_rows_that_somebody_changed_are_named_and_set_right(shop: Works):
    shop.database.execute("UPDATE subscriptions SET status = 'canceled' LIMIT 1")
    shop.database.execute("UPDATE products SET name = 'Wrong', observed_at = '2036-01-01 00:00:00' LIMIT 1")

    shop.reconcile(Kind.OBJECT_SWEEP)

    assert unlike_stripe(shop) == []
    cause = "the mirror was changed by other means"
    assert drifted(shop) == {("subscription", "status", cause), ("product", "name", cause)}
    assert shop.reconcile(Kind.OBJECT_SWEEP)["drift_found"] == 0
    assert all(row["healed_at"] is not None for row in shop.drift() if row["kind"] == "object-sweep")


def test_what_stripe_never_told_is_told_apart_from_a_change_that_it_kept_back(shop: Works):
    shop.stripe.cast(1)
    story = shop.stripe.stories[0]
    shop.stripe.client.v1.subscriptions.update(str(story.subscription_id), {"cancel_at_period_end": True})

    shop.reconcile(Kind.OBJECT_SWEEP)

    found = drifted(shop)
    assert ("subscription", "cancel_at_period_end", "Stripe did not tell us of a change") in found
    assert ("subscription", "object", "Stripe never told us of it") in found
    assert unlike_stripe(shop) == []


def test_what_is_on_its_way_to_us_is_no_drift(works: Works):
    works.stripe.cast(1)
    for event in works.stripe.client.v1.events.list({"limit": 100}).auto_paging_iter():
        body = stripe_rules.event_body(event.to_dict())
        db.transact(lambda tx, body=body: inbox.receive(tx, stripe_rules.read_event(body), now=clock.now()))  # type: ignore[misc]
    run = works.begin(Kind.OBJECT_SWEEP)
    page = gateway.list_objects("subscription:", since=run.covers_at, asked_at=clock.now())
    at_subscriptions = Run(**{**vars(run), "page_cursor": "subscription:"})

    db.transact(
        lambda tx: object_sweep.apply(tx, at_subscriptions, page, product_family="self_hosted", now=clock.now())
    )

    assert len(page.subjects) == 1
    assert works.drift() == []


def test_what_waits_for_its_customer_is_reported_once_and_not_fetched_again_and_again(shop: Works):
    given: Any = {"email": "stranger@example.com", "payment_method": "pm_card_visa"}
    stranger = shop.stripe.client.v1.customers.create(given)
    details: Any = {
        "customer": stranger.id,
        "default_payment_method": "pm_card_visa",
        "items": [{"price": shop.stripe.weekly}],
        "metadata": {"product_family": "self_hosted"},
    }
    subscription = shop.stripe.client.v1.subscriptions.create(details)
    shop.reconcile(Kind.EVENT_GAP)

    for _ in range(2):
        shop.reconcile(Kind.OBJECT_SWEEP)

    stored = "SELECT event_type FROM stripe_events WHERE object_id = %s"
    kinds = {row["event_type"] for row in shop.database.execute(stored, subscription.id)}
    assert "customer.subscription.created" in kinds
    assert "keywright.observation" not in kinds
    waiting = {cause for kind, _, cause in drifted(shop) if kind == "subscription"}
    assert waiting == {f"its events wait for customer:{stranger.id}"}


def observations(works: Works) -> int:
    return len(works.database.execute("SELECT 1 FROM stripe_events WHERE event_type = 'keywright.observation'"))


def test_a_subscription_that_loses_its_family_is_set_right_once_and_its_end_still_counts(shop: Works):
    v1 = shop.stripe.client.v1
    subscription_id = next(str(story.subscription_id) for story in shop.stripe.stories if story.subscription_id)
    v1.subscriptions.update(subscription_id, {"metadata": {"product_family": ""}})

    first = shop.reconcile(Kind.OBJECT_SWEEP)
    told = observations(shop)
    second = shop.reconcile(Kind.OBJECT_SWEEP)

    assert (first["drift_found"], second["drift_found"], second["received"]) == (1, 0, 0)
    assert observations(shop) == told
    assert all(row["healed_at"] is not None for row in shop.drift() if row["kind"] == "object-sweep")
    assert unlike_stripe(shop) == []

    v1.subscriptions.cancel(subscription_id)
    shop.reconcile(Kind.OBJECT_SWEEP)

    query = (
        "SELECT l.state FROM licenses l JOIN subscription_items i ON i.item_id = l.source_id"
        " WHERE i.subscription_id = %s"
    )
    assert [row["state"] for row in shop.database.execute(query, subscription_id)] == ["CANCELED"]


def test_an_invoice_of_a_subscription_that_lost_its_family_is_missed_and_found(shop: Works):
    subscription_id = next(str(story.subscription_id) for story in shop.stripe.stories if story.subscription_id)
    v1 = shop.stripe.client.v1
    v1.subscriptions.update(subscription_id, {"metadata": {"product_family": "", "domain_sid": ""}})
    shop.reconcile(Kind.OBJECT_SWEEP)
    customer = v1.subscriptions.retrieve(subscription_id).customer
    later: Any = {"customer": str(customer), "subscription": subscription_id}
    v1.invoices.create(later)

    shop.reconcile(Kind.OBJECT_SWEEP)

    assert unlike_stripe(shop) == []
    assert ("invoice", "object", "Stripe never told us of it") in drifted(shop)


Carry = Callable[[Works, Run], None]


def by_the_worker(works: Works, run: Run) -> None:
    works.finish()


def past_the_failure(works: Works, run: Run) -> None:
    """Treat a page that could not be had as an empty one."""
    family = "self_hosted"
    while works.run_row(run)["state"] == "RUNNING":
        row = works.run_row(run)
        current = Run(**{name: row[name] for name in Run.__dataclass_fields__} | {"kind": Kind(row["kind"])})
        try:
            page = gateway.list_objects(row["page_cursor"], since=row["covers_at"], asked_at=clock.now())
        except Exception:  # noqa: BLE001  (this is the mistake that the check is for)
            object_type, _ = rules.place_of(row["page_cursor"])
            page = Page((), clock.now(), rules.next_place(object_type, None))
        db.transact(
            lambda tx, page=page, current=current: object_sweep.apply(  # type: ignore[misc]
                tx, current, page, product_family=family, now=clock.now()
            )
        )


def claims_success_wrongly(works: Works, carry: Carry) -> bool:
    """Let every list of subscriptions fail, and tell whether the sweep says that all was compared though it was not."""
    works.database.execute("UPDATE subscriptions SET status = 'unpaid' LIMIT 1")
    works.stripe.control("fail", kind="status", status=500, route="/v1/subscriptions", times=10_000)
    run = works.begin(Kind.OBJECT_SWEEP)
    carry(works, run)
    works.stripe.control("fail/clear", all=True)
    succeeded = works.run_row(run)["state"] == "COMPLETE" or works.progress(Kind.OBJECT_SWEEP)["last_success_at"]
    return bool(succeeded) and unlike_stripe(works) != []


def test_a_sweep_that_failed_is_never_complete(shop: Works):
    assert not claims_success_wrongly(shop, by_the_worker)

    (row,) = shop.database.execute("SELECT * FROM reconciliation_runs WHERE kind = 'object-sweep'")
    assert (row["state"], row["page_cursor"]) == ("FAILED", "subscription:")
    shop.retry_jobs()
    assert unlike_stripe(shop) == []


def test_a_sweep_that_passes_over_a_failure_is_caught(shop: Works):
    assert claims_success_wrongly(shop, past_the_failure)


def test_repairs_are_looked_at_again_soon_and_that_look_is_the_last(shop: Works):
    shop.database.execute("UPDATE subscriptions SET status = 'unpaid' LIMIT 1")
    shop.reconcile(Kind.OBJECT_SWEEP)

    (job,) = shop.database.execute("SELECT * FROM jobs WHERE job_key LIKE 'reconciliation.object-sweep:confirm:%%'")
    assert job["due_at"] > clock.now()
    shop.database.execute("UPDATE subscriptions SET status = 'unpaid' LIMIT 1")
    shop.database.execute("UPDATE jobs SET due_at = created_at WHERE job_sid = %s", job["job_sid"])
    shop.invoke("dispatcher", {"do": "dispatch"})
    shop.finish()

    runs = shop.database.execute("SELECT state, confirms FROM reconciliation_runs WHERE kind = 'object-sweep'")
    assert [row["state"] for row in runs] == ["COMPLETE", "COMPLETE"]
    assert service.WINDOW not in {row["object_id"] for row in shop.drift()}
    confirmations = shop.database.execute("SELECT job_key FROM jobs WHERE job_key LIKE '%%object-sweep:confirm:%%'")
    assert len(confirmations) == 1


def test_an_object_of_a_shape_that_nobody_knows_is_reported_and_stops_nobody(shop: Works):
    shop.database.execute("UPDATE subscriptions SET status = 'unpaid' LIMIT 1")
    run = shop.begin(Kind.OBJECT_SWEEP)
    page = gateway.list_objects("subscription:", since=run.covers_at, asked_at=clock.now())
    (row,) = shop.database.execute("SELECT subscription_id FROM subscriptions WHERE status <> 'unpaid' LIMIT 1")
    odd = [{**each, "created": "never"} if each["id"] == row["subscription_id"] else each for each in page.subjects]
    at_subscriptions = Run(**{**vars(run), "page_cursor": "subscription:"})

    def apply(tx: Any) -> None:
        object_sweep.apply(
            tx, at_subscriptions, Page(odd, page.asked_at, None), product_family="self_hosted", now=clock.now()
        )

    db.transact(apply)

    found = {row["object_id"]: row["cause"] for row in shop.drift() if row["kind"] == "object-sweep"}
    assert len(found) == 2
    assert found[row["subscription_id"]] == "its shape is none that we can read"
