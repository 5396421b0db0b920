"""Metadata that is edited or removed at Stripe: what was ours stays ours, where it was bought for, in every order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import pytest

from keywright.platform import clock, db, ids
from keywright.platform.db import Transaction
from keywright.stripe_sync import rules
from keywright.stripe_sync.models import Ignored, Parked, Processed
from tests.buyers import Buyer, add_buyer
from tests.lives import charge
from tests.purchases import fold, left, one_time_events, rehearse, subscription_events
from tests.stripe_events import BEGINNING, FAMILY, MONTH, checkout_session, event, event_id, invoice, subscription

DAY = 24 * 3600

_DOMAIN = """
INSERT INTO domains (domain_sid, customer_sid, domain_name, state, verification_token, created_at)
VALUES (%(domain_sid)s, %(customer_sid)s, 'second.example.com', 'PENDING', 'unproven', %(now)s)
"""
_STRANGERS = {"product_family": None, "checkout_session_sid": None, "customer_sid": None, "domain_sid": None}


@pytest.fixture
def second(buyer: Buyer) -> str:
    """Another domain of the buyer's."""
    domain_sid = ids.derived("dom", at=clock.from_unix(BEGINNING), of="second")
    values = {"domain_sid": domain_sid, "customer_sid": buyer.customer_sid}
    db.transact(lambda tx: tx.run(_DOMAIN, **values, now=clock.from_unix(BEGINNING)))
    return domain_sid


def told(
    buyer: Buyer,
    what: str,
    metadata: dict[str, str],
    *,
    at: int,
    previous: dict[str, Any] | None = None,
    **details: Any,
) -> bytes:
    """Return an event of the subscription with this metadata."""
    subject = subscription(metadata, customer=str(buyer.stripe_customer_id), price_id="price_tiered", **details)
    return event(f"customer.subscription.{what}", subject, at=BEGINNING + at, previous=previous)


def billed(buyer: Buyer, metadata: dict[str, str], invoice_id: str, *, at: int) -> bytes:
    return event(
        "invoice.paid", invoice(metadata, customer=str(buyer.stripe_customer_id), id=invoice_id), at=BEGINNING + at
    )


def removed(ours: dict[str, str]) -> dict[str, Any]:
    """Return what Stripe says was before all of this metadata was removed."""
    return {"metadata": ours}


Trap = Callable[[], Callable[[Transaction, bytes], None]]


def in_every_order(
    catalog: Sequence[bytes], events: Sequence[bytes], *, trap: Trap | None = None
) -> list[dict[str, Any]]:
    """Return what is left behind, but each only once: one entry says that every order ends alike."""
    ends: list[dict[str, Any]] = []
    for order in permutations(events):
        found = rehearse([*catalog, *order], saboteur=None if trap is None else trap())
        if found not in ends:
            ends.append(found)
    return ends


def without_family(buyer: Buyer) -> list[bytes]:
    """Return a life whose metadata is removed on the way, and which then is canceled."""
    ours = buyer.metadata()
    ended: dict[str, Any] = {"status": "canceled", "ended_at": BEGINNING + 3 * DAY, "canceled_at": BEGINNING + 3 * DAY}
    return [
        told(buyer, "created", ours, at=0),
        told(buyer, "updated", {}, at=DAY, previous=removed(ours)),
        billed(buyer, {}, "in_2", at=2 * DAY),
        told(buyer, "deleted", {}, at=3 * DAY, **ended),
    ]


def test_a_subscription_that_lost_its_family_is_mirrored_billed_and_canceled_in_every_order(buyer: Buyer):
    ends = in_every_order(subscription_events(buyer)[:2], without_family(buyer))

    (end,) = ends
    assert {row["state"] for row in end["events"]} == {"PROCESSED"}
    assert [(row["status"], row["metadata"]) for row in end["subscriptions"]] == [("canceled", "{}")]
    assert [(row["state"], row["domain_sid"]) for row in end["licenses"]] == [("CANCELED", buyer.domain_sid)]
    assert [row["invoice_id"] for row in end["invoices"]] == ["in_2"]
    assert len(end["files"]) == 1


def test_a_subscription_that_went_to_another_family_is_renewed_in_every_order(buyer: Buyer):
    ours = buyer.metadata()
    theirs = {**ours, "product_family": "cloud"}
    items = subscription(ours, customer="", price_id="price_tiered")["items"]
    events = [
        told(buyer, "created", ours, at=0),
        told(buyer, "updated", theirs, at=DAY, previous={"metadata": {"product_family": FAMILY}}),
        told(buyer, "updated", theirs, at=MONTH, period=1, previous={"items": items}),
        billed(buyer, theirs, "in_2", at=MONTH),
    ]

    ends = in_every_order(subscription_events(buyer)[:2], events)

    (end,) = ends
    assert {row["state"] for row in end["events"]} == {"PROCESSED"}
    assert [row["state"] for row in end["licenses"]] == ["ACTIVE"]
    assert len(end["files"]) == 2


def moved(buyer: Buyer, second: str, ours: dict[str, str]) -> list[bytes]:
    """Return a life whose domain is edited before a renewal."""
    there = {**ours, "domain_sid": second}
    items = subscription(ours, customer="", price_id="price_tiered")["items"]
    return [
        told(buyer, "created", ours, at=0),
        told(buyer, "updated", there, at=DAY, previous={"metadata": {"domain_sid": buyer.domain_sid}}),
        told(buyer, "updated", there, at=MONTH, period=1, previous={"items": items}),
        billed(buyer, there, "in_2", at=MONTH),
    ]


def test_a_license_stays_with_the_domain_of_its_checkout_in_every_order(buyer: Buyer, second: str):
    ends = in_every_order(subscription_events(buyer)[:2], moved(buyer, second, buyer.metadata()))

    (end,) = ends
    assert [row["domain_sid"] for row in end["subscriptions"]] == [buyer.domain_sid]
    assert [row["domain_sid"] for row in end["licenses"]] == [buyer.domain_sid]
    assert len(end["files"]) == 2
    assert sorted(row["kind"] for row in end["jobs"]) == ["licensing.publish-event"] * 2 + ["licensing.send-issued"]


def test_without_a_checkout_it_stays_with_the_first_domain_if_the_move_says_what_was_before(buyer: Buyer, second: str):
    ours = buyer.metadata("")
    created, move, _, _ = moved(buyer, second, ours)

    ends = in_every_order(subscription_events(buyer)[:2], [created, move, billed(buyer, ours, "in_1", at=2)])

    (end,) = ends
    assert [row["domain_sid"] for row in end["subscriptions"]] == [buyer.domain_sid]
    assert [row["domain_sid"] for row in end["licenses"]] == [buyer.domain_sid]


def test_no_order_gives_an_item_two_licenses(buyer: Buyer, second: str):
    ends = in_every_order(subscription_events(buyer)[:2], moved(buyer, second, buyer.metadata("")))

    assert [len(end["licenses"]) for end in ends] == [1] * len(ends)
    assert [len(end["files"]) for end in ends] == [2] * len(ends)
    # Where a renewal is told before anything that names the first domain, its file has gone out, and it is kept.
    assert {end["licenses"][0]["domain_sid"] for end in ends} == {buyer.domain_sid, second}
    for end in ends:
        assert end["subscriptions"][0]["domain_sid"] == end["licenses"][0]["domain_sid"]


def test_a_domain_that_is_named_late_or_was_corrected_leaves_the_same_in_every_order(buyer: Buyer):
    stranger = add_buyer("eve")
    ours = buyer.metadata()
    wrong, none = {**ours, "domain_sid": stranger.domain_sid}, {"product_family": FAMILY}
    events = [
        told(buyer, "created", none, at=0),
        told(buyer, "updated", wrong, at=5, previous={"metadata": {**_STRANGERS, "product_family": FAMILY}}),
        told(buyer, "updated", ours, at=DAY, previous={"metadata": {"domain_sid": stranger.domain_sid}}),
    ]

    ends = in_every_order(subscription_events(buyer)[:2], events)

    (end,) = ends
    assert {row["state"] for row in end["events"]} == {"PROCESSED"}
    assert [row["domain_sid"] for row in end["licenses"]] == [buyer.domain_sid]


def test_a_session_is_ours_and_of_its_checkout_in_every_order(one_time_buyer: Buyer):
    ours, customer = one_time_buyer.metadata(), str(one_time_buyer.stripe_customer_id)
    unpaid = checkout_session(ours, customer=customer, mode="payment", payment_status="unpaid")
    paid = checkout_session({}, customer=customer, mode="payment")
    events = [
        event("checkout.session.completed", unpaid),
        event("checkout.session.async_payment_succeeded", paid, at=BEGINNING + 500),
    ]

    (end,) = in_every_order(one_time_events(one_time_buyer)[:2], events)

    assert {row["state"] for row in end["events"]} == {"PROCESSED"}
    assert [(row["state"], row["kind"]) for row in end["licenses"]] == [("ACTIVE", "AIR_GAPPED")]


def test_a_payment_that_was_ever_ours_is_mirrored_in_every_order(buyer: Buyer):
    customer = str(buyer.stripe_customer_id)
    fold(*subscription_events(buyer)[:2])
    cloud = {"product_family": "cloud"}
    events = [
        event("charge.pending", charge(customer, status="pending", amount_captured=0), at=BEGINNING),
        event("charge.updated", charge(customer, metadata=cloud), at=BEGINNING + 5),
        event("charge.refunded", charge(customer, metadata=cloud, amount_refunded=900), at=BEGINNING + 9),
    ]
    table = "SELECT status, amount_refunded, observed_by FROM charges"

    outcomes = []
    for order in permutations(events):
        looked: list[Any] = []
        found = rehearse(order, saboteur=lambda tx, _body, looked=looked: looked.append(tx.all(table)))  # type: ignore[misc]
        outcomes.append(({row["state"] for row in found["events"]}, looked[-1]))

    last = {"status": "succeeded", "amount_refunded": 900, "observed_by": event_id(events[2])}
    assert outcomes == [({"PROCESSED"}, [last])] * 6


def gate_by_the_single_event() -> Callable[[Transaction, bytes], None]:
    """Leave the mirror as it was at the last event that itself named the family."""
    kept: list[dict[str, Any]] = []

    def refuse(tx: Transaction, body: bytes) -> None:
        told = rules.read_event(body)
        if told.subject["object"] != "subscription":
            return
        if rules.metadata_of(told).get("product_family") == FAMILY:
            kept[:] = tx.all("SELECT subscription_id, status, metadata, observed_by FROM subscriptions")
        for row in kept:
            tx.run(
                "UPDATE subscriptions SET status = %(status)s, metadata = %(metadata)s, observed_by = %(observed_by)s"
                " WHERE subscription_id = %(subscription_id)s",
                **row,
            )

    return refuse


def owner_by_the_single_event() -> Callable[[Transaction, bytes], None]:
    """Give the mirror to the domain that the event folded last names."""

    def assign(tx: Transaction, body: bytes) -> None:
        told = rules.read_event(body)
        if told.subject["object"] == "subscription":
            domain_sid = rules.metadata_of(told)["domain_sid"]
            tx.run("UPDATE subscriptions SET domain_sid = %(domain_sid)s", domain_sid=domain_sid)

    return assign


def test_a_gate_that_looks_at_the_single_event_is_caught(buyer: Buyer):
    events = without_family(buyer)[:2]

    assert len(in_every_order(subscription_events(buyer)[:2], events, trap=gate_by_the_single_event)) > 1


def test_an_owner_that_is_read_from_the_single_event_is_caught(buyer: Buyer, second: str):
    events = moved(buyer, second, buyer.metadata())[:2]

    assert len(in_every_order(subscription_events(buyer)[:2], events, trap=owner_by_the_single_event)) > 1


def test_invoices_go_on_when_their_subscription_turns_out_to_be_somebody_elses(buyer: Buyer):
    waiting = fold(billed(buyer, {}, "in_1", at=2))
    foreign = told(buyer, "created", {"product_family": "cloud"}, at=0)

    refused = fold(foreign)

    assert waiting == [Parked("subscription:sub_1")]
    assert refused == [Ignored("product family cloud", reconsider_on="subscription:sub_1")]
    assert {row["state"] for row in left()["events"]} == {"IGNORED"}
    assert left()["invoices"] == []


def test_a_subscription_that_only_its_invoice_tells_of_is_fetched(buyer: Buyer):
    fold(billed(buyer, {}, "in_1", at=2))

    (job,) = db.transact(lambda tx: tx.all("SELECT payload FROM jobs WHERE kind = 'stripe_sync.refetch'"))
    assert '"object_id": "sub_1"' in job["payload"]
    assert '"object_type": "subscription"' in job["payload"]

    gone = {"id": "sub_1", "object": "subscription", "deleted": True}
    fold(rules.observation_event(gone, at=clock.from_unix(BEGINNING + 60)))

    assert {row["state"] for row in left()["events"]} == {"IGNORED"}


def test_invoices_that_were_refused_are_folded_when_their_subscription_proves_to_be_ours(buyer: Buyer):
    ours = buyer.metadata()
    fold(*subscription_events(buyer)[:2], told(buyer, "updated", {}, at=DAY), billed(buyer, {}, "in_2", at=DAY))
    assert left()["invoices"] == []

    assert fold(told(buyer, "created", ours, at=0)) == [Processed()]

    assert [row["invoice_id"] for row in left()["invoices"]] == ["in_2"]
    assert {row["state"] for row in left()["events"]} == {"PROCESSED"}
