"""What a customer pays with is mirrored, so far as they can recognize it, in whatever order Stripe tells of it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from keywright.platform import db
from keywright.stripe_sync.models import Ignored, Processed
from tests.buyers import Buyer
from tests.purchases import fold, subscription_events
from tests.stripe_events import BEGINNING, event, subscription

Raw = dict[str, Any]


def method(customer: str | None, **card: Any) -> Raw:
    """Return a card as Stripe tells of it, with more than anybody should keep."""
    shown = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030, **card}
    return {
        "id": "pm_1",
        "object": "payment_method",
        "type": "card",
        "customer": customer,
        "billing_details": {"name": "Ada", "address": {"line1": "Somewhere 1"}},
        "card": {**shown, "fingerprint": "Xt5EWLLDS7FJjR1c", "country": "US", "funding": "credit"},
        "created": BEGINNING - 10,
        "livemode": False,
        "metadata": {},
    }


def life(customer: str) -> list[bytes]:
    """Return a card that is attached, renewed by its bank, and detached."""
    renewed = method(customer, exp_year=2033)
    return [
        event("payment_method.attached", method(customer), at=BEGINNING - 10),
        event("payment_method.automatically_updated", renewed, at=BEGINNING + 100),
        event("payment_method.detached", {**renewed, "customer": None}, at=BEGINNING + 200),
    ]


def mirrored() -> list[Raw]:
    query = (
        "SELECT customer_sid, stripe_customer_id, method_type, card_brand, card_last4, card_exp_month, card_exp_year"
        " FROM payment_methods"
    )
    return db.transact(lambda tx: tx.all(query))


def shown(buyer: Buyer, *, attached: bool = True, year: int = 2030) -> Raw:
    return {
        "customer_sid": buyer.customer_sid,
        "stripe_customer_id": buyer.stripe_customer_id if attached else None,
        "method_type": "card",
        "card_brand": "visa",
        "card_last4": "4242",
        "card_exp_month": 12,
        "card_exp_year": year,
    }


def test_a_card_is_kept_by_its_brand_its_last_four_digits_and_its_expiry(buyer: Buyer) -> None:
    assert fold(life(str(buyer.stripe_customer_id))[0]) == [Processed()]

    assert mirrored() == [shown(buyer)]


def test_in_every_order_the_last_that_was_told_stands_and_a_detached_card_stays_its_owners(
    buyer: Buyer, clean_database: Any
) -> None:
    for order in permutations(life(str(buyer.stripe_customer_id))):
        fold(*order)

        assert mirrored() == [shown(buyer, attached=False, year=2033)]
        for table in ("payment_methods", "stripe_event_work", "stripe_events"):
            _empty(clean_database, table)


def _empty(database: Any, table: str) -> None:
    from keywright.platform.connection import connect_with

    connection = connect_with(database.endpoint.secret(database.endpoint.owner))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
            cursor.execute(f"TRUNCATE TABLE {table}")
    finally:
        connection.close()


def test_what_strangers_pay_with_is_not_kept(buyer: Buyer) -> None:
    found = fold(event("payment_method.attached", method("cus_somebody_else"), at=BEGINNING))

    assert [type(outcome) for outcome in found] == [Ignored]
    assert mirrored() == []


def with_default(buyer: Buyer) -> bytes:
    customer = str(buyer.stripe_customer_id)
    bought = subscription(buyer.metadata(), customer=customer, price_id="price_tiered", default_payment_method="pm_1")
    return event("customer.subscription.updated", bought, at=BEGINNING + 5)


def asked() -> list[str]:
    query = "SELECT payload FROM jobs WHERE kind = 'stripe_sync.refetch' AND payload LIKE '%%payment_method%%'"
    return [row["payload"] for row in db.transact(lambda tx: tx.all(query))]


def test_a_default_that_nothing_was_told_of_is_asked_for(buyer: Buyer) -> None:
    fold(*subscription_events(buyer)[:2], with_default(buyer))

    (payload,) = asked()
    assert '"object_id": "pm_1"' in payload


def test_a_default_that_is_known_is_not_asked_for(buyer: Buyer) -> None:
    fold(life(str(buyer.stripe_customer_id))[0], *subscription_events(buyer)[:2], with_default(buyer))

    assert asked() == []
    (row,) = db.transact(
        lambda tx: tx.all(
            "SELECT m.card_last4 FROM subscriptions s"
            " JOIN payment_methods m ON m.payment_method_id = s.default_payment_method_id"
        )
    )
    assert row["card_last4"] == "4242"
