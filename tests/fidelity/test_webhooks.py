"""Deliveries: signed as Stripe signs, at least once, and disturbed on request."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
import stripe

from tests.fidelity.running import Receiver, wait_until
from tests.fidelity.shop import Shop


def _listen(shop: Shop, receiver: Receiver, *types: str) -> str:
    """Register the receiver and return its signing secret."""
    endpoint = shop.client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": list(types or ("*",))})  # type: ignore[arg-type]
    return str(endpoint.secret)


def _ids(receiver: Receiver) -> list[str]:
    return [json.loads(body)["id"] for _, body in receiver.received]


def test_stripes_own_verifier_accepts_the_signature_over_the_raw_bytes(shop: Shop, receiver: Receiver) -> None:
    secret = _listen(shop, receiver)

    customer = shop.client.v1.customers.create({"email": "ada@example.com"})
    shop.settle()

    signature, body = receiver.received[0]
    event = shop.client.construct_event(body, signature, secret)
    assert (event.type, event.data.object["id"]) == ("customer.created", customer.id)
    assert event["request"]["id"].startswith("req_")
    assert b'\n  "id": "evt_' in body
    assert shop.client.v1.events.retrieve(event.id).pending_webhooks == 0


def test_a_wrong_secret_or_a_changed_body_is_refused(shop: Shop, receiver: Receiver) -> None:
    secret = _listen(shop, receiver)
    shop.client.v1.customers.create({"email": "ada@example.com"})
    shop.settle()
    signature, body = receiver.received[0]

    for tampered_body, wrong_secret in ((body, "whsec_wrong"), (body.replace(b"ada", b"eve"), secret)):
        with pytest.raises(stripe.SignatureVerificationError):
            shop.client.construct_event(tampered_body, signature, wrong_secret)


def test_while_a_secret_is_rolled_both_verify_and_after_a_day_only_the_new_one(shop: Shop, receiver: Receiver) -> None:
    old = _listen(shop, receiver)
    [endpoint] = shop.client.v1.webhook_endpoints.list().data

    new = str(shop.control(f"webhook_endpoints/{endpoint.id}/roll", keep_old_s=86_400)["secret"])
    for pause in (0, 86_400):
        shop.control("clock", advance_s=pause)
        shop.client.v1.customers.create({"email": "ada@example.com"})
        shop.settle()

    (during, during_body), (after, after_body) = receiver.received
    assert shop.client.construct_event(during_body, during, old)
    assert shop.client.construct_event(during_body, during, new)
    assert shop.client.construct_event(after_body, after, new)
    with pytest.raises(stripe.SignatureVerificationError):
        shop.client.construct_event(after_body, after, old)


def test_a_failed_delivery_is_repeated_until_it_is_taken(shop: Shop, receiver: Receiver) -> None:
    secret = _listen(shop, receiver)
    receiver.statuses = [500, 302]

    shop.client.v1.customers.create({"email": "ada@example.com"})
    shop.settle()
    shop.control("clock", advance_s=60)
    attempts = shop.settle()

    assert [(attempt["attempt"], attempt["status"]) for attempt in attempts] == [(1, 500), (2, 302), (3, 200)]
    assert len(set(_ids(receiver))) == 1
    for signature, body in receiver.received:
        assert shop.client.construct_event(body, signature, secret)


def test_delivery_is_tried_for_three_days_at_growing_intervals_and_then_given_up(
    shop: Shop, receiver: Receiver
) -> None:
    _listen(shop, receiver)
    receiver.statuses = [503] * 100

    shop.client.v1.customers.create({"email": "ada@example.com"})
    shop.settle()
    shop.control("clock", advance_s=4 * 86_400)
    attempts = shop.settle()

    times = [attempt["at"] for attempt in attempts]
    waits = [later - earlier for earlier, later in pairwise(times)]
    # The first retry comes by itself, after a second or when a slow machine gets to it.
    assert waits[0] >= 1
    assert waits[1:] == sorted(waits[1:])
    assert (waits[1], waits[-1]) == (2, 12 * 3600)
    assert 2 * 86_400 < times[-1] - times[0] <= 3 * 86_400
    assert shop.control("deliveries")["waiting"] == 0
    assert [event.type for event in shop.client.v1.events.list({"delivery_success": False}).data] == [
        "customer.created"
    ]


def test_a_disabled_endpoint_is_not_tried_again(shop: Shop, receiver: Receiver) -> None:
    _listen(shop, receiver)
    receiver.statuses = [503] * 100
    shop.client.v1.customers.create({"email": "ada@example.com"})
    shop.settle()

    [endpoint] = shop.client.v1.webhook_endpoints.list().data
    shop.client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    # Once at least: on a slow machine the first retry is due before we come to disable it.
    tried = len(shop.settle())
    shop.control("clock", advance_s=86_400)

    assert len(shop.settle()) == tried


def test_an_endpoint_that_is_not_there_does_not_stop_the_others(shop: Shop, receiver: Receiver) -> None:
    shop.client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:1/gone", "enabled_events": ["*"]})
    _listen(shop, receiver)

    shop.client.v1.customers.create({"email": "ada@example.com"})
    attempts = shop.settle()

    assert len(receiver.received) == 1
    assert {attempt["status"] for attempt in attempts if not attempt["delivered"]} == {None}


def test_an_endpoint_gets_only_what_it_asked_for_and_nothing_once_deleted(shop: Shop, receiver: Receiver) -> None:
    _listen(shop, receiver, "product.created")

    shop.price()
    shop.settle()
    for endpoint in shop.client.v1.webhook_endpoints.list().data:
        assert "secret" not in endpoint
        shop.client.v1.webhook_endpoints.delete(endpoint.id)
    shop.price()
    shop.settle()

    assert [json.loads(body)["type"] for _, body in receiver.received] == ["product.created"]


def test_held_deliveries_come_when_they_are_released_in_any_order(shop: Shop, receiver: Receiver) -> None:
    _listen(shop, receiver)
    shop.control("deliveries", mode="hold")
    shop.bought(shop.price())
    created = [event.id for event in shop.client.v1.events.list({"limit": 100}).data]
    before_release = list(receiver.received)

    shop.control("deliveries", mode="shuffle", seed=7)
    shop.settle()

    assert before_release == []
    assert sorted(_ids(receiver)) == sorted(created)


def test_deliveries_are_duplicated_dropped_and_sent_again_by_hand(shop: Shop, receiver: Receiver) -> None:
    _listen(shop, receiver)

    shop.control("deliveries", mode="drop", times=1)
    lost = shop.client.v1.customers.create({"email": "lost@example.com"})
    shop.control("deliveries", mode="duplicate", times=3)
    shop.client.v1.customers.create({"email": "thrice@example.com"})
    shop.settle()
    shop.control("deliveries", mode="normal")
    event = next(event for event in shop.client.v1.events.list().data if event.data.object["id"] == lost.id)
    known = len(receiver.received)
    shop.browser.post(f"{shop.url}/_control/redeliver/{event.id}").raise_for_status()
    wait_until(lambda: len(receiver.received) > known, "the event comes again")

    assert known == 3
    assert _ids(receiver).count(event.id) == 1


def test_one_change_may_be_told_by_two_events(shop: Shop, receiver: Receiver) -> None:
    _listen(shop, receiver)

    shop.control("deliveries", mode="twin", times=1)
    customer = shop.client.v1.customers.create({"email": "ada@example.com"})
    shop.client.v1.customers.create({"email": "eve@example.com"})
    shop.settle()

    bodies = [json.loads(body) for _, body in receiver.received]
    twins = [body for body in bodies if body["data"]["object"]["id"] == customer.id]
    assert len(bodies) == 3
    assert len({twin["id"] for twin in twins}) == 2
    assert len({(twin["type"], twin["created"]) for twin in twins}) == 1


def test_delays_let_later_events_overtake_earlier_ones(shop: Shop, receiver: Receiver) -> None:
    _listen(shop, receiver)
    shop.control("deliveries", mode="delay", delay_s=10, jitter_s=600, seed=3)

    created = [shop.client.v1.customers.create({"name": str(n)}).id for n in range(8)]
    at_once = list(receiver.received)
    shop.control("clock", advance_s=700)
    shop.settle()

    came = [json.loads(body)["data"]["object"]["id"] for _, body in receiver.received]
    assert at_once == []
    assert came != created
    assert sorted(came) == sorted(created)


def test_events_are_listed_by_type_and_time_for_thirty_days(shop: Shop) -> None:
    shop.client.v1.customers.create({"email": "ada@example.com"})
    shop.client.v1.products.create({"name": "Tidewatch"})
    events, now = shop.client.v1.events, shop.account.clock.now()

    both = events.list({"types": ["customer.created", "product.*"]}).data
    none = events.list({"created": {"gt": now + 60}}).data
    shop.control("clock", advance_s=31 * 86_400)
    forgotten = events.list().data

    assert {event.type for event in both} == {"customer.created", "product.created"}
    assert none == forgotten == []
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        events.retrieve(both[0].id)
    with pytest.raises(stripe.InvalidRequestError, match="at most 20"):
        events.list({"types": [f"customer.{n}" for n in range(21)]})


def test_events_are_read_in_pages_in_both_directions(shop: Shop) -> None:
    for n in range(7):
        shop.client.v1.customers.create({"name": str(n)})
    newest_first = [event.id for event in shop.client.v1.events.list().data]

    older = shop.client.v1.events.list({"limit": 3, "starting_after": newest_first[2]})
    newer = shop.client.v1.events.list({"limit": 3, "ending_before": newest_first[6]})
    backwards = [event.id for event in newer.auto_paging_iter()]

    assert ([event.id for event in older.data], older.has_more) == (newest_first[3:6], True)
    assert backwards == newest_first[5::-1]


def test_an_endpoint_of_an_older_version_gets_the_older_shapes(shop: Shop, receiver: Receiver) -> None:
    shop.client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["*"], "api_version": "2025-02-24.acacia"}
    )

    subscription = shop.bought(shop.price())
    shop.client.v1.subscriptions.update(subscription.id, {"metadata": {"seen": "1"}})
    shop.settle()

    told = {event["type"]: event for event in (json.loads(body) for _, body in receiver.received)}
    older, invoice = (told[name]["data"]["object"] for name in ("customer.subscription.created", "invoice.paid"))
    now = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert {event["api_version"] for event in told.values()} == {"2025-02-24.acacia"}
    assert older["current_period_end"] == now["items"].data[0].current_period_end
    assert "current_period_end" not in older["items"]["data"][0]
    assert (invoice["subscription"], invoice["paid"]) == (subscription.id, True)
    assert invoice["charge"].startswith("ch_")
    assert "parent" not in invoice
    assert invoice["lines"]["data"][0]["price"]["id"] == now["items"].data[0].price.id


def test_without_a_version_of_its_own_an_endpoint_follows_the_account(shop: Shop, receiver: Receiver) -> None:
    _listen(shop, receiver, "customer.subscription.created")
    wanted = ["customer.subscription.created"]
    pinned: Any = {"url": receiver.url, "enabled_events": wanted, "api_version": "2026-05-27.dahlia"}
    shop.client.v1.webhook_endpoints.create(pinned)
    shop.control("api_version", api_version="2024-06-20")

    shop.bought(shop.price())
    shop.settle()

    bodies = [json.loads(body) for _, body in receiver.received]
    shapes = {body["api_version"]: "current_period_end" in body["data"]["object"] for body in bodies}
    [listed] = shop.client.v1.events.list({"type": "customer.subscription.created"}).data
    assert shapes == {"2024-06-20": True, "2026-05-27.dahlia": False}
    assert (listed.api_version, "current_period_end" in listed.data.object) == ("2024-06-20", True)
