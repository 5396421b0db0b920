"""What an event makes of the mirror and of licenses, over the life of a purchase."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keywright.licensing import gateway
from keywright.platform import db
from keywright.stripe_sync import service
from keywright.stripe_sync.models import Parked, Processed
from keywright_verify import Code, KeySet, verify
from tests.buyers import Buyer
from tests.purchases import (
    AIR_GAPPED,
    NOW,
    catalog_events,
    desk,
    fold,
    left,
    observation,
    store,
    subscription_events,
)
from tests.stripe_events import (
    BEGINNING,
    MONTH,
    checkout_session,
    event,
    one_time_price,
    price,
    product,
    subscription,
    tiered_price,
)


def changed(buyer: Buyer, status: str, *, at: int, before: str = "active", period: int = 0, **details: object) -> bytes:
    """Return the event in which the subscription moves to a status."""
    new = subscription(
        buyer.metadata(), customer=str(buyer.stripe_customer_id), status=status, price_id="price_tiered", period=period,
        **details,
    )  # fmt: skip
    kind = "customer.subscription.deleted" if status == "canceled" else "customer.subscription.updated"
    return event(kind, new, at=BEGINNING + at, previous={"status": before})


def licenses() -> list[tuple[str, int]]:
    return [(row["state"], row["current_seq"]) for row in left()["licenses"]]


def published() -> list[str]:
    return [row["job_key"].split(":")[1] for row in left()["jobs"] if row["kind"] == "licensing.publish-event"]


def outcomes() -> dict[str, tuple[str, str | None]]:
    rows = db.transact(lambda tx: tx.all("SELECT event_id, state, reason FROM stripe_event_work"))
    return {row["event_id"]: (row["state"], row["reason"]) for row in rows}


def test_the_license_verifies_offline_and_says_what_was_bought(buyer: Buyer):
    fold(*subscription_events(buyer))
    (token,) = [row["token"] for row in left()["files"]]
    keys = KeySet.from_jwks({"keys": [key.jwk() for key in gateway.key_ring().keys]})

    verdict = verify(token, keys, now=NOW, domain=buyer.domain_name, audience="self_hosted", issuer=desk().issuer)

    assert verdict.code is Code.VALID
    claims = verdict.license
    assert claims is not None
    assert claims.license_sid == left()["licenses"][0]["license_sid"]
    assert (claims.domain, claims.plan, claims.seq) == (buyer.domain_name, "Harbor", BEGINNING)
    assert (claims.entitlements, claims.limits) == ({"sso": True}, {"seats": 25})


def test_before_the_first_payment_there_is_no_license(buyer: Buyer):
    ours, customer = buyer.metadata(), str(buyer.stripe_customer_id)
    unpaid = subscription(ours, customer=customer, status="incomplete", price_id="price_tiered")

    fold(*subscription_events(buyer)[:2], event("customer.subscription.created", unpaid))

    assert left()["subscriptions"][0]["status"] == "incomplete"
    assert licenses() == []


def test_a_renewal_gives_another_file_with_a_higher_number(buyer: Buyer):
    fold(*subscription_events(buyer))

    fold(changed(buyer, "active", at=MONTH, period=1))

    first, second = left()["files"]
    assert (first["seq"], second["seq"]) == (BEGINNING, BEGINNING + MONTH)
    assert second["expires_at"] - first["expires_at"] == timedelta(seconds=MONTH)
    assert licenses() == [("ACTIVE", BEGINNING + MONTH)]
    assert published() == ["license.issued", "license.renewed"]
    assert [row["kind"] for row in left()["jobs"]].count("licensing.send-issued") == 1


def test_a_renewal_that_comes_before_the_purchase_ends_at_the_same_license(buyer: Buyer):
    renewal = changed(buyer, "active", at=MONTH, period=1)

    fold(renewal, *subscription_events(buyer))

    assert licenses() == [("ACTIVE", BEGINNING + MONTH)]


def test_a_payment_that_fails_restricts_the_license_and_its_payment_lifts_that(buyer: Buyer):
    fold(*subscription_events(buyer))

    fold(changed(buyer, "past_due", at=100))
    restricted = licenses()
    fold(changed(buyer, "active", at=200, before="past_due"))

    assert (restricted, licenses()) == ([("RESTRICTED", BEGINNING)], [("ACTIVE", BEGINNING)])
    assert len(left()["files"]) == 1
    assert [row["action"] for row in left()["audit"]] == ["LICENSE_ISSUED", *["LICENSE_STATE_CHANGED"] * 2]


def test_a_period_that_is_not_paid_has_no_file_until_it_is(buyer: Buyer):
    fold(*subscription_events(buyer), changed(buyer, "past_due", at=MONTH, period=1))
    unpaid = licenses()

    fold(changed(buyer, "active", at=MONTH + 100, before="past_due", period=1))

    assert (unpaid, licenses()) == ([("RESTRICTED", BEGINNING)], [("ACTIVE", BEGINNING + MONTH)])


@pytest.mark.parametrize(("status", "state"), [("unpaid", "RESTRICTED"), ("paused", "SUSPENDED")])
def test_other_statuses_move_the_license_too(buyer: Buyer, status: str, state: str):
    fold(*subscription_events(buyer), changed(buyer, status, at=100))

    assert licenses() == [(state, BEGINNING)]


def test_the_end_absorbs_whatever_comes_after_it(buyer: Buyer):
    fold(*subscription_events(buyer))

    fold(changed(buyer, "canceled", at=100), changed(buyer, "active", at=200), changed(buyer, "past_due", at=50))

    assert licenses() == [("CANCELED", BEGINNING)]
    assert left()["subscriptions"][0]["status"] == "canceled"


def test_folding_an_event_twice_does_nothing_the_second_time(buyer: Buyer):
    events = subscription_events(buyer)
    fold(*events)
    before = left()

    assert fold(*events) == [None] * len(events)
    assert left() == before


def test_a_session_that_expired_leaves_its_checkout_expired_and_never_undoes_a_payment(buyer: Buyer):
    ours, customer = buyer.metadata(), str(buyer.stripe_customer_id)
    expired = event("checkout.session.expired", checkout_session(ours, customer=customer, status="expired"))
    done = event("checkout.session.completed", checkout_session(ours, customer=customer), at=BEGINNING + 1)

    fold(expired)
    first = left()["checkouts"][0]["state"]
    fold(
        done,
        event(
            "checkout.session.expired", checkout_session(ours, customer=customer, status="expired"), at=BEGINNING + 5
        ),
    )

    assert (first, left()["checkouts"][0]["state"]) == ("EXPIRED", "COMPLETE")


def test_a_product_follows_its_latest_observation(buyer: Buyer):
    older = event("product.updated", product(name="Older"), at=BEGINNING - 500)
    newer = event("product.updated", product(name="Newer", active=False), at=BEGINNING)

    fold(*catalog_events(), newer, older)

    assert [(row["name"], row["active"]) for row in left()["products"]] == [("Newer", 0)]


def test_a_price_that_is_archived_is_and_keeps_its_amount(buyer: Buyer):
    fold(*catalog_events(), event("price.updated", price(active=False, unit_amount_decimal="1"), at=BEGINNING))

    assert [(row["active"], int(row["unit_amount"])) for row in left()["prices"]] == [(0, 4900)]


def test_tiers_that_events_leave_out_are_asked_for_and_kept_once_known(buyer: Buyer):
    bare = event("price.created", tiered_price(with_tiers=False), at=BEGINNING - 900)
    fold(catalog_events()[0], bare)
    asked = db.transact(lambda tx: tx.all("SELECT job_key FROM jobs WHERE kind = 'catalog.fetch-price'"))
    assert (len(asked), left()["tiers"]) == (1, [])

    fold(observation(tiered_price()))
    fold(event("price.updated", tiered_price(with_tiers=False, nickname="x"), at=BEGINNING))

    assert [row["up_to"] for row in left()["tiers"]] == [10, None]


def test_a_price_waits_for_its_product(one_time_buyer: Buyer):
    found = fold(
        event("price.created", one_time_price(), at=BEGINNING - 900),
        event("product.created", product("prod_air", metadata=AIR_GAPPED), at=BEGINNING - 1000),
    )

    assert found == [Parked("product:prod_air"), Processed()]
    assert len(left()["prices"]) == 1


def test_a_fold_that_fails_leaves_nothing_and_is_counted(buyer: Buyer):
    broken = subscription(buyer.metadata(), customer=str(buyer.stripe_customer_id), price_id="price_tiered")
    del broken["items"]["data"][0]["price"]
    (sid,) = store(event("customer.subscription.created", broken))

    with pytest.raises(KeyError):
        db.transact(lambda tx: service.process(tx, desk(), event_id=sid))
    db.transact(lambda tx: service.record_failure(tx, event_id=sid, reason="KeyError", now=NOW))

    (row,) = db.transact(lambda tx: tx.all("SELECT state, attempts, reason, due_at FROM stripe_event_work"))
    assert (row["state"], row["attempts"], row["reason"]) == ("RECEIVED", 1, "KeyError")
    assert row["due_at"] > NOW
    assert left()["subscriptions"] == []


def test_an_event_that_always_fails_dies_at_the_limit_and_keeps_its_reason(buyer: Buyer):
    (sid,) = store(catalog_events()[0])

    for _ in range(service.MAX_FAILURES + 3):
        db.transact(lambda tx: service.record_failure(tx, event_id=sid, reason="x" * 900, now=NOW))

    (row,) = db.transact(lambda tx: tx.all("SELECT state, attempts, reason FROM stripe_event_work"))
    assert (row["state"], row["attempts"], row["reason"]) == ("DEAD", service.MAX_FAILURES, "x" * 500)
    assert db.transact(lambda tx: service.process(tx, desk(), event_id=sid)) is None
