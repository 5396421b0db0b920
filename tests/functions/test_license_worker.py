"""A batch of hints becomes licenses; one bad event harms nobody but itself."""

from __future__ import annotations

import pytest

from keywright.stripe_sync import service
from tests.buyers import Buyer, add_buyer
from tests.purchases import catalog_events, left, open_checkout, store, subscription_events
from tests.queue_hints import batch, drop, failed, take
from tests.stripe_events import event, product, subscription


@pytest.fixture
def buyer(clean_database) -> Buyer:
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    drop("EVENTS")
    drop("JOBS")
    return buyer


def poison(buyer: Buyer) -> bytes:
    """Return an event that no fold survives: a subscription whose item has no price."""
    broken = subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id), id="sub_broken")
    broken["items"]["data"][0]["price"] = None
    return event("customer.subscription.created", broken)


def hints(*sids: str) -> dict[str, object]:
    return batch(*({"event_id": sid} for sid in sids))


def states(database) -> dict[str, tuple[str, int]]:
    rows = database.execute("SELECT event_id, state, attempts FROM stripe_event_work")
    return {row["event_id"]: (row["state"], row["attempts"]) for row in rows}


def test_a_purchase_becomes_a_license_and_what_follows_is_enqueued(invoke, buyer, database):
    answer = invoke("license_worker", hints(*store(*subscription_events(buyer))))

    assert failed(answer) == []
    assert len(left()["licenses"]) == 1
    assert sorted(row["kind"] for row in left()["jobs"]) == ["licensing.publish-event", "licensing.send-issued"]
    assert set(take("JOBS")) == {row["job_sid"] for row in database.execute("SELECT job_sid FROM jobs")}


def test_hints_that_come_twice_or_name_nothing_are_no_work_and_no_failure(invoke, buyer, database):
    (sid,) = store(catalog_events()[0])

    answer = invoke("license_worker", hints(sid, sid, "evt_unknown"))

    assert failed(answer) == []
    assert states(database) == {sid: ("PROCESSED", 1)}


def test_released_events_are_hinted_at(invoke, buyer, database):
    events = subscription_events(buyer)
    waiting = store(*events[2:4])
    invoke("license_worker", hints(*waiting))
    take("EVENTS")

    invoke("license_worker", hints(*store(*events[:2])))

    assert set(waiting) <= set(take("EVENTS"))
    assert {states(database)[sid][0] for sid in waiting} == {"RECEIVED"}


def test_a_poisonous_event_is_reported_and_its_batch_mates_are_done(invoke, buyer, database):
    mates = [event("product.created", product(f"prod_{number}")) for number in range(9)]
    before, (bad,), after = store(*mates[:4]), store(poison(buyer)), store(*mates[4:])

    answer = invoke("license_worker", hints(*before, bad, *after))

    assert failed(answer) == ["message-4"]
    assert {states(database)[sid] for sid in [*before, *after]} == {("PROCESSED", 1)}
    assert states(database)[bad] == ("RECEIVED", 1)
    assert len(left()["products"]) == 9


def test_a_poisonous_event_dies_after_its_last_attempt(invoke, buyer, database):
    (bad,) = store(poison(buyer))

    for _ in range(service.MAX_FAILURES):
        assert failed(invoke("license_worker", hints(bad))) == ["message-0"]

    assert states(database)[bad] == ("DEAD", service.MAX_FAILURES)
    assert failed(invoke("license_worker", hints(bad))) == []
    (row,) = database.execute("SELECT reason FROM stripe_event_work")
    assert row["reason"].startswith("TypeError")


@pytest.mark.parametrize("body", ["{", "[]", "{}", '"text"'])
def test_a_hint_that_cannot_be_read_is_reported_and_its_batch_mates_are_done(invoke, buyer, database, body):
    (sid,) = store(catalog_events()[0])

    answer = invoke("license_worker", batch(body, {"event_id": sid}))

    assert failed(answer) == ["message-0"]
    assert states(database)[sid][0] == "PROCESSED"


def test_what_there_is_no_time_for_comes_back(buyer, database):
    from functions.license_worker.handler import handler
    from tests.api import Context

    class Late(Context):
        def get_remaining_time_in_millis(self) -> int:
            return 2_000

    (sid,) = store(catalog_events()[0])

    assert failed(handler(hints(sid), Late())) == ["message-0"]
    assert states(database) == {sid: ("RECEIVED", 0)}
