"""Doubt is asked of Stripe by a job: once for a burst, only while it lasts, counted, and stamped with the asking."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from keywright.platform import clock, db
from keywright.stripe_sync import inbox, rules, service
from keywright.stripe_sync.models import Bench, Ignored, Parked, Processed, StripeEvent
from tests.buyers import Buyer
from tests.lives import charge, given_back
from tests.purchases import NOW, catalog_events, desk, fold, left, store, subscription_events
from tests.stripe_events import BEGINNING, MONTH, event, subscription, tiered_price

RENEWED = BEGINNING + MONTH


def rows(query: str) -> list[dict[str, Any]]:
    return db.transact(lambda tx: tx.all(query))


def doubts() -> list[tuple[str, str]]:
    return [(row["object_id"], row["reason"]) for row in rows("SELECT object_id, reason FROM stripe_doubts")]


def refetches() -> list[dict[str, Any]]:
    return rows("SELECT job_key, due_at FROM jobs WHERE kind = 'stripe_sync.refetch' ORDER BY due_at")


def later(buyer: Buyer, status: str, *, before: str, at: int) -> bytes:
    told = subscription(
        buyer.metadata(), customer=str(buyer.stripe_customer_id), status=status, price_id="price_tiered"
    )
    return event("customer.subscription.updated", told, at=BEGINNING + at, previous={"status": before})


def test_a_gap_in_the_chain_is_noticed_and_asked_about_once(buyer: Buyer) -> None:
    fold(*subscription_events(buyer))

    fold(later(buyer, "active", before="past_due", at=100), later(buyer, "past_due", before="active", at=200))

    assert doubts() == [("sub_1", "an event is missing, or its time is wrong")]
    (job,) = refetches()
    assert timedelta(seconds=10) <= job["due_at"] - NOW <= timedelta(seconds=30)


def test_a_late_event_that_fills_the_gap_ends_the_doubt(buyer: Buyer) -> None:
    fold(*subscription_events(buyer))
    fold(later(buyer, "active", before="past_due", at=100))
    assert db.transact(lambda tx: service.is_in_doubt(tx, object_type="subscription", object_id="sub_1"))

    fold(later(buyer, "past_due", before="active", at=50))

    assert doubts() == []
    assert not db.transact(lambda tx: service.is_in_doubt(tx, object_type="subscription", object_id="sub_1"))


def test_what_was_fetched_ends_the_doubt_and_beats_every_event_that_was_here(buyer: Buyer) -> None:
    """Even those whose time, by Stripe's clock, lies after our asking."""
    fold(*subscription_events(buyer))
    fold(later(buyer, "past_due", before="unpaid", at=3600))
    now = subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id), price_id="price_tiered")
    asked_at = NOW + timedelta(seconds=30)

    db.transact(lambda tx: inbox.receive_observations(tx, [now], at=asked_at, now=asked_at))
    fold()

    assert doubts() == []
    (row,) = left()["subscriptions"]
    assert (row["status"], row["observed_at"]) == ("active", asked_at)
    assert row["observed_by"].startswith("obs_")


def test_an_event_from_after_the_asking_wins_over_what_was_fetched(buyer: Buyer) -> None:
    fold(*subscription_events(buyer))
    now = subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id), price_id="price_tiered")
    db.transact(lambda tx: inbox.receive_observations(tx, [now], at=NOW, now=NOW))

    fold(later(buyer, "past_due", before="active", at=60))

    assert left()["subscriptions"][0]["status"] == "past_due"
    assert doubts() == []


def test_asking_is_counted(buyer: Buyer) -> None:
    for _ in range(2):
        db.transact(
            lambda tx: service.record_refetch(
                tx, object_type="subscription", object_id="sub_1", reason="tie", asked_at=NOW
            )
        )

    assert db.transact(lambda tx: service.count_refetches(tx, since=NOW)) == 2
    assert db.transact(lambda tx: service.count_refetches(tx, since=NOW + timedelta(seconds=1))) == 0


def test_a_refund_that_comes_before_its_charge_waits_for_it_and_asks_for_it(buyer: Buyer) -> None:
    refund = event("refund.created", given_back("refund", at=BEGINNING + 5))

    assert fold(refund) == [Parked("charge:ch_1")]
    assert [job["job_key"].split(":")[1] for job in refetches()] == ["ch_1"]
    fold(event("charge.succeeded", charge(str(buyer.stripe_customer_id))))

    assert [row["status"] for row in rows("SELECT status FROM refunds")] == ["succeeded"]


def test_a_refund_of_what_is_not_ours_is_not_ours(buyer: Buyer) -> None:
    foreign = event("charge.succeeded", charge("cus_somebody_else"))

    found = fold(foreign, event("refund.created", given_back("refund", at=BEGINNING + 5)))

    assert [type(outcome) for outcome in found] == [Ignored, Ignored]


def test_events_of_another_mode_or_account_are_ignored_with_the_reason(buyer: Buyer) -> None:
    (sid,) = store(catalog_events()[0])
    live = service.Desk(**{**vars(desk()), "livemode": True})

    outcome = db.transact(lambda tx: service.process(tx, live, event_id=sid))

    assert outcome == Ignored("the event is of test mode")
    read = rules.read_event(of_a_connected_account(catalog_events()[0]))
    assert rules.foreign_reason(read, account_id="acct_1", livemode=False) == "the event is of the account acct_2"
    assert rules.foreign_reason(read, account_id="acct_2", livemode=False) is None


def of_a_connected_account(body: bytes) -> bytes:
    return body.replace(b'"livemode": false,', b'"livemode": false, "account": "acct_2",', 1)


def test_without_a_known_account_an_event_that_names_one_is_ignored_with_the_reason(buyer: Buyer) -> None:
    (sid,) = store(of_a_connected_account(catalog_events()[0]))
    ours = desk()
    assert ours.account_id is None

    outcome = db.transact(lambda tx: service.process(tx, ours, event_id=sid))

    reason = "the event is of the account acct_2, and the secret does not say that it is ours"
    assert outcome == Ignored(reason)
    assert left()["products"] == []


def test_an_endpoints_own_events_name_no_account_and_are_folded_without_one(buyer: Buyer) -> None:
    assert fold(catalog_events()[0]) == [Processed()]


def trusts_strangers(event: StripeEvent, *, account_id: str | None) -> bool:
    """Check the account only where it is known."""
    return account_id is None or event.account_id in {None, account_id}


def test_a_check_that_needs_to_know_the_account_is_caught() -> None:
    read = rules.read_event(of_a_connected_account(catalog_events()[0]))

    assert trusts_strangers(read, account_id=None)
    assert rules.foreign_reason(read, account_id=None, livemode=False) is not None


def test_a_license_is_judged_again_when_its_term_ends(buyer: Buyer) -> None:
    fold(*subscription_events(buyer))
    (license_,) = left()["licenses"]
    over = license_["review_at"]
    assert over == license_["expires_at"]

    bench = Bench(product_family="self_hosted", now=over)
    db.transact(lambda tx: service.review(tx, bench, license_sid=license_["license_sid"]))

    (license_,) = left()["licenses"]
    assert (license_["state"], license_["review_at"]) == ("EXPIRED", None)


def test_a_renewal_brings_an_expired_license_back(buyer: Buyer) -> None:
    test_a_license_is_judged_again_when_its_term_ends(buyer)
    renewed = subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id), price_id="price_tiered", period=1)

    assert fold(event("customer.subscription.updated", renewed, at=RENEWED)) == [Processed()]

    assert [row["state"] for row in left()["licenses"]] == ["ACTIVE"]


def test_an_event_that_nobody_can_read_does_not_take_the_object_with_it(buyer: Buyer) -> None:
    broken = subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id))
    del broken["created"]
    store(event("customer.subscription.updated", broken, at=BEGINNING + 1))

    events = subscription_events(buyer)
    at = desk()
    for sid in store(*events):
        db.transact(lambda tx, sid=sid: service.process(tx, at, event_id=sid))  # type: ignore[misc]

    assert [row["state"] for row in left()["licenses"]] == ["ACTIVE"]


def test_tiers_are_kept_whichever_observation_decides(buyer: Buyer) -> None:
    fold(
        *subscription_events(buyer), event("price.updated", tiered_price(with_tiers=False, active=False), at=BEGINNING)
    )

    assert [row["up_to"] for row in left()["tiers"]] == [10, None]
    assert [row["active"] for row in left()["prices"]] == [0]
    assert clock.to_unix(left()["prices"][0]["observed_at"]) == BEGINNING


def test_what_stripe_no_longer_has_is_no_longer_for_sale(buyer: Buyer) -> None:
    fold(*catalog_events())
    gone = {"id": "prod_unlimited", "object": "product", "deleted": True}

    db.transact(lambda tx: inbox.receive_observations(tx, [gone], at=NOW, now=NOW))
    fold()

    assert [row["active"] for row in left()["products"]] == [0]
    assert {row["state"] for row in left()["events"]} == {"PROCESSED"}


def test_what_was_gone_before_anybody_saw_it_is_ignored(buyer: Buyer) -> None:
    gone = {"id": "sub_gone", "object": "subscription", "deleted": True}

    db.transact(lambda tx: inbox.receive_observations(tx, [gone], at=NOW, now=NOW))
    fold()

    assert [row["state"] for row in left()["events"]] == ["IGNORED"]
