"""Whatever order a purchase arrives in, and however often, the same is left behind: byte for byte."""

from __future__ import annotations

import random
from itertools import permutations

from keywright.billing import repository, rules
from keywright.billing.models import Observation
from keywright.platform.db import Transaction
from keywright.stripe_sync.rules import read_event
from tests.buyers import Buyer
from tests.purchases import left, one_time_events, rehearse, subscription_events

SAMPLE = 240


def orders(events: list[bytes], count: int, seed: int) -> list[list[bytes]]:
    """Return some of the orders in which events may come, with repetitions strewn in."""
    chance = random.Random(seed)
    every = list(permutations(events))
    chosen = chance.sample(every, min(count, len(every)))
    return [strew(list(order), chance) for order in chosen]


def strew(order: list[bytes], chance: random.Random) -> list[bytes]:
    for repeated in chance.choices(order, k=chance.randint(0, 3)):
        order.insert(chance.randint(0, len(order)), repeated)
    return order


def test_a_subscription_ends_at_the_same_rows_and_the_same_license_in_every_order(buyer: Buyer):
    events = subscription_events(buyer)
    expected = rehearse(events)

    different = [order for order in orders(events, SAMPLE, seed=20261121) if rehearse(order) != expected]

    assert different == []
    assert {row["state"] for row in expected["events"]} == {"PROCESSED"}
    assert [(row["state"], row["kind"]) for row in expected["licenses"]] == [("ACTIVE", "UNLIMITED")]
    assert len(expected["files"]) == 1
    assert [row["kind"] for row in expected["jobs"]] == ["licensing.publish-event", "licensing.send-issued"]
    assert [row["action"] for row in expected["audit"]] == ["LICENSE_ISSUED"]


def test_a_one_time_purchase_ends_at_the_same_rows_and_the_same_license_in_every_order(one_time_buyer: Buyer):
    events = one_time_events(one_time_buyer)
    expected = rehearse(events)

    different = [
        order for order in orders(events, 6, seed=1) * 3 if rehearse(strew(order, random.Random(2))) != expected
    ]

    assert different == []
    assert {row["state"] for row in expected["events"]} == {"PROCESSED"}
    assert [(row["state"], row["kind"]) for row in expected["licenses"]] == [("ACTIVE", "AIR_GAPPED")]
    assert [row["kind"] for row in expected["jobs"]] == ["licensing.publish-event", "licensing.send-issued"]
    assert left()["licenses"] == []


def last_write_wins(tx: Transaction, body: bytes) -> None:
    """Put what each subscription event says over whatever the mirror knew."""
    event = read_event(body)
    if event.subject["object"] == "subscription":
        subscription = rules.read_subscription(event.subject)
        repository.save_subscription(tx, subscription, Observation(event.moment, event.event_id))


def test_the_comparison_catches_a_fold_in_which_the_last_write_wins(buyer: Buyer):
    events = subscription_events(buyer)
    expected = rehearse(events)
    catalog, rest = events[:2], events[2:]

    wrong = [
        order for order in permutations(rest) if rehearse([*catalog, *order], saboteur=last_write_wins) != expected
    ]

    assert len(wrong) == 12


def signed_at_the_moment(tx: Transaction, body: bytes) -> None:
    """Let what is issued depend on how many events came before it, as a clock or a counter would."""
    tx.run("UPDATE licenses SET current_seq = current_seq + (SELECT COUNT(*) FROM stripe_event_work)")


def test_the_comparison_catches_a_license_that_depends_on_the_order(buyer: Buyer):
    events = subscription_events(buyer)

    found = [rehearse(order, saboteur=signed_at_the_moment) for order in orders(events, 5, seed=3)]

    assert any(one["licenses"] != found[0]["licenses"] for one in found)
