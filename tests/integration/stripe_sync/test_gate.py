"""Events that are not ours, not ready or not to be trusted: ignored with a reason, parked until they can be folded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keywright.platform import db
from keywright.stripe_sync import inbox
from keywright.stripe_sync.models import Ignored, Parked
from tests.buyers import Buyer, add_buyer
from tests.purchases import (
    NOW,
    fold,
    left,
    one_time_events,
    subscription_events,
)
from tests.stripe_events import (
    BEGINNING,
    checkout_session,
    event,
    event_id,
    invoice,
    price,
    product,
    subscription,
)


def licenses() -> list[tuple[str, int]]:
    return [(row["state"], row["current_seq"]) for row in left()["licenses"]]


def outcomes() -> dict[str, tuple[str, str | None]]:
    rows = db.transact(lambda tx: tx.all("SELECT event_id, state, reason FROM stripe_event_work"))
    return {row["event_id"]: (row["state"], row["reason"]) for row in rows}


@pytest.mark.parametrize("family", ["cloud", None])
def test_what_belongs_to_another_product_family_is_ignored_with_that_reason(buyer: Buyer, family: str | None):
    theirs, customer = {"product_family": family} if family else {}, str(buyer.stripe_customer_id)
    foreign = product("prod_cloud")
    foreign["metadata"] = theirs

    found = fold(
        event("product.created", foreign),
        event("price.created", price("price_cloud", product_id="prod_cloud")),
        event("customer.subscription.created", subscription(theirs, customer=customer)),
        event("invoice.paid", invoice(theirs, customer=customer)),
        event("checkout.session.completed", checkout_session(theirs, customer=customer)),
    )

    assert [outcome.reason for outcome in found if isinstance(outcome, Ignored)] == [
        f"product family {family or 'none'}"
    ] * 5
    assert [left()[table] for table in ("products", "prices", "subscriptions", "invoices", "licenses")] == [[]] * 5
    assert set(outcomes().values()) == {("IGNORED", f"product family {family or 'none'}")}


def test_what_we_do_not_know_is_stored_and_ignored(buyer: Buyer):
    unknown = event("moon.phase_changed", {"id": "moon_1", "object": "moon"})

    assert fold(unknown) == [Ignored("events about moon.phase_changed change nothing here")]
    assert outcomes()[event_id(unknown)][0] == "IGNORED"


def test_an_invoice_that_is_yet_to_come_changes_nothing(buyer: Buyer):
    upcoming = invoice(buyer.metadata(), customer=str(buyer.stripe_customer_id), status="draft", id=None)

    assert fold(event("invoice.upcoming", upcoming)) == [Ignored("the invoice is yet to come")]
    assert left()["invoices"] == []


def test_a_subscription_waits_for_its_price_and_asks_for_it(buyer: Buyer):
    events = subscription_events(buyer)

    assert fold(events[3]) == [Parked("price:price_tiered")]
    (asked,) = db.transact(lambda tx: tx.all("SELECT payload FROM jobs WHERE kind = 'catalog.fetch-price'"))
    assert asked["payload"] == '{"price_id": "price_tiered"}'
    assert licenses() == []

    fold(events[0], events[1])

    assert licenses() == [("ACTIVE", BEGINNING)]


def test_a_customer_that_is_not_known_yet_is_waited_for(buyer: Buyer):
    late = subscription(buyer.metadata(), customer="cus_of_tomorrow")

    assert fold(event("customer.subscription.created", late)) == [Parked("customer:cus_of_tomorrow")]


def test_a_parked_event_is_looked_at_again_even_if_nothing_releases_it(buyer: Buyer):
    events = subscription_events(buyer)
    fold(events[3])

    found = db.transact(lambda tx: inbox.hint_stuck(tx, now=NOW + timedelta(minutes=30), limit=10))
    early = db.transact(lambda tx: inbox.hint_stuck(tx, now=NOW, limit=10))

    assert (found, early) == (1, 0)


def test_nobody_gets_a_license_for_somebody_elses_domain(buyer: Buyer):
    stranger = add_buyer("eve")
    mixed = {**buyer.metadata(), "domain_sid": stranger.domain_sid}
    stolen = subscription(mixed, customer=str(buyer.stripe_customer_id), price_id="price_tiered")

    found = fold(*subscription_events(buyer)[:2], event("customer.subscription.created", stolen))

    assert found[-1] == Ignored("the object names no domain of its customer", reconsider_on="owner:sub_1")
    assert licenses() == []


def test_a_session_that_completes_no_checkout_of_ours_gives_no_license(one_time_buyer: Buyer):
    forged = checkout_session(
        one_time_buyer.metadata("chk_unknown"), customer=str(one_time_buyer.stripe_customer_id), mode="payment"
    )

    found = fold(*one_time_events(one_time_buyer)[:2], event("checkout.session.completed", forged))

    assert found[-1] == Ignored("the session belongs to no checkout of ours", reconsider_on="owner:cs_test_1")
    assert licenses() == []


@pytest.mark.parametrize(("payment_status", "issued"), [("unpaid", 0), ("paid", 1), ("no_payment_required", 1)])
def test_a_one_time_license_waits_for_the_money(one_time_buyer: Buyer, payment_status: str, issued: int):
    session = checkout_session(
        one_time_buyer.metadata(), customer=str(one_time_buyer.stripe_customer_id), mode="payment",
        payment_status=payment_status,
    )  # fmt: skip

    fold(*one_time_events(one_time_buyer)[:2], event("checkout.session.completed", session))

    assert len(licenses()) == issued
    assert left()["checkouts"][0]["state"] == "COMPLETE"


def test_money_that_comes_later_gives_the_license_then(one_time_buyer: Buyer):
    ours, customer = one_time_buyer.metadata(), str(one_time_buyer.stripe_customer_id)
    unpaid = checkout_session(ours, customer=customer, mode="payment", payment_status="unpaid")
    paid = checkout_session(ours, customer=customer, mode="payment")

    fold(*one_time_events(one_time_buyer)[:2], event("checkout.session.completed", unpaid))
    fold(event("checkout.session.async_payment_succeeded", paid, at=BEGINNING + 500))

    assert [row["kind"] for row in left()["licenses"]] == ["AIR_GAPPED"]


def test_what_names_no_customer_waits_for_none(one_time_buyer: Buyer):
    by_nobody = checkout_session(one_time_buyer.metadata(), customer="", mode="payment") | {"customer": None}

    found = fold(event("checkout.session.completed", by_nobody))

    assert found == [Ignored("the object names no customer", reconsider_on="owner:cs_test_1")]
