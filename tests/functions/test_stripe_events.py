"""Staff see what became of each of Stripe's events, and have one folded again; nobody else may."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.platform import clock, db
from keywright.stripe_sync import inbox, rules, service
from keywright.stripe_sync.models import Arrival, EntrySource, Headers
from tests.api import Api
from tests.buyers import Buyer, add_buyer
from tests.purchases import NOW, fold, open_checkout, store, subscription_events
from tests.queue_hints import batch, drop, take
from tests.stripe_events import BEGINNING, event, event_id, product, subscription

PATH = "/v1/stripe-events"


@pytest.fixture
def buyer(clean_database: Any) -> Buyer:
    buyer = add_buyer()
    open_checkout(buyer, price_id="price_tiered", mode="subscription")
    return buyer


@pytest.fixture
def manager(clean_database: Any) -> Buyer:
    person = add_buyer("mia")
    update = "UPDATE users SET role = 'MANAGER' WHERE user_sid = %(sid)s"
    db.transact(lambda tx: tx.run(update, sid=person.user_sid))
    return person


def dead(buyer: Buyer) -> str:
    """Return an event that failed too often; what it says is right, so that another try succeeds."""
    (sid,) = store(subscription_events(buyer)[0])
    for _ in range(service.MAX_FAILURES):
        db.transact(lambda tx: service.record_failure(tx, event_id=sid, reason="a bad release", now=NOW))
    return sid


def listed(call: Api, who: Buyer, **query: str) -> list[dict[str, Any]]:
    answer = call("reconciliation", "GET", PATH, token=who.token, query=query)
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def test_events_are_listed_with_what_became_of_them(call: Api, buyer: Buyer, manager: Buyer):
    sid = dead(buyer)
    waiting = subscription_events(buyer)[3]
    fold(waiting)

    (given_up,) = listed(call, manager, state="DEAD")
    (parked,) = listed(call, manager, state="PARKED")

    assert (given_up["event_id"], given_up["reason"], given_up["failures"]) == (sid, "a bad release", 20)
    assert (parked["event_id"], parked["waiting_for"]) == (event_id(waiting), "price:price_tiered")
    assert "body" not in parked
    assert [each["event_id"] for each in listed(call, manager, type="product.created")] == [sid]
    assert [each["event_id"] for each in listed(call, manager, object_id="sub_1")] == [event_id(waiting)]
    assert listed(call, manager, state="PROCESSED") == []


def test_staff_see_how_each_event_came(call: Api, manager: Buyer):
    delivered, listed_, earlier = (event("product.created", product(f"prod_{number}")) for number in range(3))
    headers = Headers(BEGINNING, {"v1": 1}, "Stripe/1.0", "req-1")
    receive(delivered, Arrival(EntrySource.WEBHOOK, headers))
    receive(listed_, Arrival(EntrySource.LISTED))
    receive(earlier, None)
    db.transact(lambda tx: inbox.receive_observations(tx, [product("prod_9")], at=NOW, now=NOW))

    found = {each["event_id"]: (each["source"], each["headers"]) for each in listed(call, manager)}

    told = {"signed_at": "2026-09-21T14:13:20.000Z", "signatures": {"v1": 1}, "user_agent": "Stripe/1.0"}
    assert found.pop(event_id(delivered)) == ("WEBHOOK", {**told, "request_id": "req-1"})
    assert found.pop(event_id(listed_)) == ("LISTED", None)
    assert found.pop(event_id(earlier)) == (None, None)
    assert list(found.values()) == [("OBSERVED", None)]


def receive(body: bytes, arrival: Arrival | None) -> None:
    db.transact(lambda tx: inbox.receive(tx, rules.read_event(body), arrival=arrival, now=NOW))


def test_pages_hold_every_event_once_even_those_that_came_in_the_same_moment(call: Api, manager: Buyer):
    stored = store(*(event("product.created", product(f"prod_{number}")) for number in range(7)))

    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = call("reconciliation", "GET", PATH, token=manager.token, query={"limit": "3", **cursor}).json
        seen += [each["event_id"] for each in answer["items"]]
        if answer["next_cursor"] is None:
            break
        cursor = {"cursor": answer["next_cursor"]}

    assert sorted(seen) == sorted(stored)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("cursor", ["?", "MTpub3RoaW5n", "MTo"])
def test_a_cursor_of_somebodys_own_making_is_refused_or_is_the_beginning(call: Api, manager: Buyer, cursor: str):
    answer = call("reconciliation", "GET", PATH, token=manager.token, query={"cursor": cursor})

    assert (answer.status, answer.json.get("code")) in {(422, "cursor-invalid"), (200, None)}


def test_an_event_that_was_given_up_is_folded_when_staff_ask_for_it(
    call: Api, invoke: Any, buyer: Buyer, manager: Buyer
):
    sid = dead(buyer)
    drop("EVENTS")

    answer = call("reconciliation", "POST", f"{PATH}/{sid}/retry", token=manager.token)

    assert (answer.status, answer.json["state"], answer.json["failures"]) == (200, "RECEIVED", 0)
    assert take("EVENTS") == [sid]
    invoke("license_worker", batch({"event_id": sid}))
    assert [each["state"] for each in listed(call, manager)] == ["PROCESSED"]


def test_the_retry_is_audited(call: Api, buyer: Buyer, manager: Buyer, database: Any):
    sid = dead(buyer)

    call("reconciliation", "POST", f"{PATH}/{sid}/retry", token=manager.token)

    (entry,) = database.execute("SELECT * FROM audit_log WHERE action = 'STRIPE_EVENT_RETRIED'")
    assert (entry["actor_sid"], entry["subject_sid"]) == (manager.user_sid, sid)
    assert '"state": "DEAD"' in entry["old_value"]


def test_what_waits_or_was_ignored_may_be_looked_at_again(call: Api, buyer: Buyer, manager: Buyer):
    customer = str(buyer.stripe_customer_id)
    foreign = event("customer.subscription.created", subscription({"product_family": "cloud"}, customer=customer))
    fold(subscription_events(buyer)[3], foreign)

    answers = [
        call("reconciliation", "POST", f"{PATH}/{each['event_id']}/retry", token=manager.token)
        for each in listed(call, manager)
    ]

    assert [answer.json["state"] for answer in answers] == ["RECEIVED", "RECEIVED"]


def test_what_is_done_or_on_its_way_is_not_folded_again(call: Api, buyer: Buyer, manager: Buyer, database: Any):
    done, new = subscription_events(buyer)[0], subscription_events(buyer)[2]
    fold(done)
    store(new)
    database.execute("UPDATE stripe_event_work SET due_at = %s WHERE state = 'RECEIVED'", clock.now())

    answers = [
        call("reconciliation", "POST", f"{PATH}/{event_id(each)}/retry", token=manager.token) for each in (done, new)
    ]

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(409, "stripe-event-not-retryable")] * 2


def test_an_event_that_is_overdue_is_brought_to_the_worker_when_staff_ask_for_it(
    call: Api, invoke: Any, buyer: Buyer, manager: Buyer, database: Any
):
    (sid,) = store(subscription_events(buyer)[0])
    drop("EVENTS")

    answer = call("reconciliation", "POST", f"{PATH}/{sid}/retry", token=manager.token)

    assert (answer.status, answer.json["state"]) == (200, "RECEIVED")
    (entry,) = database.execute("SELECT * FROM audit_log WHERE action = 'STRIPE_EVENT_RETRIED'")
    assert (entry["actor_sid"], entry["subject_sid"]) == (manager.user_sid, sid)
    assert take("EVENTS") == [sid]
    invoke("license_worker", batch({"event_id": sid}))
    assert [each["state"] for each in listed(call, manager)] == ["PROCESSED"]


def test_an_event_that_is_not_there_is_not_found(call: Api, manager: Buyer):
    answer = call("reconciliation", "POST", f"{PATH}/evt_absent/retry", token=manager.token)

    assert (answer.status, answer.json["code"]) == (404, "stripe-event-not-found")


def test_customers_see_no_events(call: Api, buyer: Buyer):
    sid = dead(buyer)

    answers = [
        call("reconciliation", "GET", PATH, token=buyer.token),
        call("reconciliation", "POST", f"{PATH}/{sid}/retry", token=buyer.token),
    ]

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(403, "role-required")] * 2
