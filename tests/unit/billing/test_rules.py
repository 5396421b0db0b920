"""What is read from Stripe's subscriptions, invoices and payments."""

from __future__ import annotations

import pytest

from keywright.billing import payment_rules, rules
from keywright.platform.clock import from_unix
from tests.stripe_events import BEGINNING, MONTH, invoice, subscription

INVOICE = rules.read_invoice(invoice({}, customer="cus_1"))

CARD = {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2030, "fingerprint": "f", "funding": "credit"}
CHARGE = {
    "id": "ch_1",
    "customer": "cus_1",
    "payment_intent": "pi_1",
    "status": "succeeded",
    "amount": 4900,
    "amount_captured": 4900,
    "amount_refunded": 0,
    "currency": "usd",
    "created": BEGINNING,
    "payment_method_details": {"type": "card", "card": CARD},
}


def test_the_period_is_read_from_the_item():
    read = rules.read_subscription(subscription({}, customer="cus_1", period=2))

    assert read.items[0].current_period_start == from_unix(BEGINNING + 2 * MONTH)
    assert read.items[0].current_period_end == from_unix(BEGINNING + 3 * MONTH)


def test_a_pause_of_the_collection_is_read():
    pause = {"behavior": "void", "resumes_at": BEGINNING + 5}
    read = rules.read_subscription(subscription({}, customer="cus_1", pause_collection=pause))

    assert (read.pause_behavior, read.pause_resumes_at) == ("void", from_unix(BEGINNING + 5))


@pytest.mark.parametrize("reference", ["in_9", {"id": "in_9", "object": "invoice"}])
def test_a_reference_is_read_plain_or_expanded(reference):
    assert rules.read_subscription(subscription({}, customer="c", latest_invoice=reference)).latest_invoice_id == "in_9"


def test_the_order_of_items_and_of_metadata_means_nothing():
    first, second = (
        {"id": name, "price": {"id": "p"}, "current_period_start": 1, "current_period_end": 2} for name in "ab"
    )
    one, other = (
        subscription(metadata, customer="c", items={"data": items})
        for metadata, items in (({"a": "1", "b": "2"}, [first, second]), ({"b": "2", "a": "1"}, [second, first]))
    )

    assert rules.read_subscription(one) == rules.read_subscription(other)


def test_an_invoice_names_its_subscription_under_parent():
    assert (INVOICE.subscription_id, INVOICE.amount_paid) == ("sub_1", 4900)
    assert INVOICE.paid_at == from_unix(BEGINNING + 2)


def test_of_a_card_only_what_its_owner_knows_it_by_is_read():
    read = payment_rules.read_charge(CHARGE)

    assert (read.card_brand, read.card_last4, read.card_exp_month, read.card_exp_year) == ("visa", "4242", 12, 2030)
    assert {name for name in vars(read) if name.startswith("card_")} == {
        "card_brand",
        "card_last4",
        "card_exp_month",
        "card_exp_year",
    }


def test_a_refund_of_long_ago_has_succeeded():
    read = payment_rules.read_refund({"id": "re_1", "charge": "ch_1", "amount": 5, "currency": "usd", "created": 1})

    assert read.status == "succeeded"
