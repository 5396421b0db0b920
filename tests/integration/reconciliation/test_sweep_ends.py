"""However much there is to compare, a sweep comes to its end; and what it cannot find any more is not told for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from keywright.platform import clock, db
from keywright.reconciliation import rules, service
from keywright.reconciliation.models import Counts, Difference, Drift, Kind, Page, Run
from keywright.stripe_sync import inbox
from keywright.stripe_sync import rules as stripe_rules
from tests.integration.reconciliation.working import Works
from tests.queue_hints import drop


def stopped(works: Works, *, pages: int) -> Run:
    """Begin a sweep more than a day ago that stopped after so many pages."""
    began_at = clock.now() - rules.CONTINUED - timedelta(hours=1)
    first = db.transact(lambda tx: service.begin(tx, Kind.OBJECT_SWEEP, now=began_at))
    run = first
    for _ in range(pages):
        page = Page((), began_at, "invoice:in_far")
        db.transact(lambda tx, run=run, page=page: service.turn_page(tx, run, page, Counts(), now=began_at))  # type: ignore[misc]
        run = Run(**{**vars(run), "step": run.step + 1})
    db.transact(lambda tx: service.record_failure(tx, first, error="It was too long", now=began_at))
    return first


def test_a_sweep_that_gets_on_is_gone_on_with_however_long_it_takes(works: Works):
    first = stopped(works, pages=1)

    second = works.begin(Kind.OBJECT_SWEEP)

    assert (second.page_cursor, second.covers_at) == ("invoice:in_far", first.covers_at)


def test_a_sweep_that_does_not_get_on_begins_anew_after_a_day(works: Works):
    stopped(works, pages=1)
    stuck = works.begin(Kind.OBJECT_SWEEP)
    db.transact(lambda tx: service.record_failure(tx, stuck, error="No such invoice", now=clock.now()))

    third = works.begin(Kind.OBJECT_SWEEP)

    assert third.page_cursor is None
    assert third.covers_at > stuck.covers_at


def file(works: Works, *, object_type: str, object_id: str) -> None:
    """Have an earlier sweep find a difference."""
    run = works.begin(Kind.OBJECT_SWEEP)
    drift = Drift(object_type, object_id, [Difference("status", "draft", "open")], "Stripe did not tell us of a change")
    db.transact(lambda tx: service.record_drift(tx, run, drift, now=clock.now()))
    db.transact(lambda tx: service.record_failure(tx, run, error="It was stopped", now=clock.now()))
    drop("JOBS")
    assert still_open(works) == [object_id]


def still_open(works: Works) -> list[str]:
    rows = [row for row in works.drift() if row["kind"] == "object-sweep" and row["healed_at"] is None]
    return [row["object_id"] for row in rows]


def test_a_difference_of_what_stripe_does_not_list_any_more_is_closed(works: Works):
    works.reconcile(Kind.EVENT_GAP)
    file(works, object_type="invoice", object_id="in_gone")

    works.reconcile(Kind.OBJECT_SWEEP)

    assert still_open(works) == []


def test_a_difference_stays_open_while_news_of_its_object_are_on_their_way(works: Works):
    works.stripe.cast(1)
    works.reconcile(Kind.EVENT_GAP)
    subscription_id = str(works.stripe.stories[0].subscription_id)
    file(works, object_type="subscription", object_id=subscription_id)
    works.database.execute("UPDATE subscriptions SET status = 'unpaid'")
    works.stripe.client.v1.subscriptions.update(subscription_id, {"cancel_at_period_end": True})
    (event,) = works.stripe.client.v1.events.list({"type": "customer.subscription.updated"}).data
    told = stripe_rules.read_event(stripe_rules.event_body(event.to_dict()))
    db.transact(lambda tx: inbox.receive(tx, told, now=clock.now()))
    drop("EVENTS")

    run = works.reconcile(Kind.OBJECT_SWEEP)

    assert (run["state"], still_open(works)) == ("COMPLETE", [subscription_id])


def test_what_waits_and_is_in_the_mirror_is_set_right_all_the_same(works: Works):
    works.stripe.cast(1)
    works.reconcile(Kind.EVENT_GAP)
    subscription_id = str(works.stripe.stories[0].subscription_id)
    works.database.execute(
        "UPDATE stripe_event_work w JOIN stripe_events e ON e.event_id = w.event_id SET w.state = 'PARKED',"
        " w.waiting_for = %s, w.due_at = %s WHERE e.object_id = %s",
        "contract:ctr_1", clock.now() + timedelta(hours=6), subscription_id,
    )  # fmt: skip
    works.stripe.client.v1.subscriptions.cancel(subscription_id)

    works.reconcile(Kind.OBJECT_SWEEP)

    (row,) = works.database.execute("SELECT status FROM subscriptions")
    licenses: list[dict[str, Any]] = works.database.execute("SELECT state FROM licenses")
    assert (row["status"], [each["state"] for each in licenses]) == ("canceled", ["CANCELED"])
