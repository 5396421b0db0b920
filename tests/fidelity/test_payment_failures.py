"""Dunning: what happens, and when, while a renewal cannot be paid."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fidelity.billing import (
    DAY_S,
    HOUR_S,
    current,
    customer,
    events,
    invoices,
    period,
    statuses,
    subscribe,
    types,
    wait,
)
from tests.fidelity.shop import Shop


def _failing(shop: Shop) -> tuple[stripe.Customer, stripe.Subscription]:
    """Subscribe a customer whose card pays once and declines from then on."""
    who = customer(shop)
    subscription = subscribe(shop, who, shop.price())
    shop.control("cards", customer=who.id, behavior="decline")
    return who, subscription


def _first_attempt(subscription: stripe.Subscription) -> int:
    return int(period(subscription)[1].timestamp()) + HOUR_S


def test_a_failed_renewal_is_tried_four_more_times_over_21_days(shop: Shop) -> None:
    _, subscription = _failing(shop)
    first = _first_attempt(subscription)

    shop.control("clock", to=first + 20 * DAY_S)
    before = current(shop, subscription).status
    shop.control("clock", to=first + 21 * DAY_S)

    failures = [when for when, kind in events(shop) if kind == "invoice.payment_failed"]
    assert failures == [first + days * DAY_S for days in (0, 3, 8, 15, 21)]
    assert (before, current(shop, subscription).status) == ("past_due", "canceled")
    assert statuses(shop) == ["active", "past_due", "canceled"]


def test_the_invoice_counts_attempts_and_says_when_the_next_one_is(shop: Shop) -> None:
    _, subscription = _failing(shop)
    first = _first_attempt(subscription)

    seen = []
    for days in (0, 3, 8, 15, 21):
        shop.control("clock", to=first + days * DAY_S)
        invoice = invoices(shop, subscription)[-1]
        seen.append((invoice.attempt_count, invoice.next_payment_attempt))

    waits = [None if when is None else (when - first) // DAY_S for _, when in seen]
    assert [count for count, _ in seen] == [1, 2, 3, 4, 5]
    assert waits == [3, 8, 15, 21, None]
    assert invoice.status == "open"
    assert shop.client.v1.invoice_payments.list({"invoice": str(invoice.id)}).data[0].status == "open"
    assert len(shop.client.v1.charges.list({"customer": str(invoice.customer)}).data) == 6


def test_the_cancellation_says_that_payment_failed(shop: Shop) -> None:
    _, subscription = _failing(shop)

    shop.control("clock", to=_first_attempt(subscription) + 21 * DAY_S)

    details: Any = current(shop, subscription).cancellation_details
    assert details.reason == "payment_failed"
    assert types(shop, "customer.subscription")[-1] == "customer.subscription.deleted"


def test_unpaid_keeps_it_and_collects_nothing_more(shop: Shop) -> None:
    _, subscription = _failing(shop)
    shop.control("billing", after_retries="unpaid", retry_days=[1])

    shop.control("clock", to=_first_attempt(subscription) + DAY_S)
    unpaid = current(shop, subscription).status
    wait(shop, days=65)

    later = invoices(shop, subscription)
    assert unpaid == "unpaid"
    assert [invoice.status for invoice in later] == ["paid", "open", "draft", "draft"]
    assert all(not invoice.auto_advance for invoice in later[1:])


def test_left_past_due_it_goes_on_renewing(shop: Shop) -> None:
    _, subscription = _failing(shop)
    shop.control("billing", after_retries="past_due", retry_days=[1])

    shop.control("clock", to=_first_attempt(subscription) + 35 * DAY_S)

    assert current(shop, subscription).status == "past_due"
    assert [invoice.status for invoice in invoices(shop, subscription)] == ["paid", "open", "open"]


@pytest.mark.parametrize("after", ["unpaid", "past_due"])
def test_paying_the_latest_invoice_makes_it_active_again(shop: Shop, after: str) -> None:
    who, subscription = _failing(shop)
    shop.control("billing", after_retries=after, retry_days=[1])
    shop.control("clock", to=_first_attempt(subscription) + 2 * DAY_S)

    shop.control("cards", customer=who.id, behavior="pay")
    shop.client.v1.invoices.pay(str(invoices(shop, subscription)[-1].id))

    assert current(shop, subscription).status == "active"
    previous: Any = shop.client.v1.events.list({"type": "customer.subscription.updated"}).data[0].data
    assert previous.previous_attributes["status"] == after


def test_a_retry_that_succeeds_ends_the_arrears(shop: Shop) -> None:
    who, subscription = _failing(shop)
    first = _first_attempt(subscription)
    shop.control("clock", to=first)

    shop.control("cards", customer=who.id, behavior="normal")
    shop.control("clock", to=first + 3 * DAY_S)

    invoice = invoices(shop, subscription)[-1]
    assert (invoice.status, invoice.attempt_count) == ("paid", 2)
    assert statuses(shop) == ["active", "past_due", "active"]


def test_writing_the_latest_invoice_off_makes_it_active_again(shop: Shop) -> None:
    _, subscription = _failing(shop)
    shop.control("clock", to=_first_attempt(subscription))

    shop.client.v1.invoices.mark_uncollectible(str(invoices(shop, subscription)[-1].id))
    wait(shop, days=22)

    assert statuses(shop) == ["active", "past_due", "active"]
    assert current(shop, subscription).status == "active"


def test_paying_by_hand_in_between_does_not_move_the_schedule(shop: Shop) -> None:
    _, subscription = _failing(shop)
    first = _first_attempt(subscription)
    shop.control("clock", to=first + DAY_S)
    invoice = invoices(shop, subscription)[-1]

    with pytest.raises(stripe.CardError) as refusal:
        shop.client.v1.invoices.pay(str(invoice.id))

    after = shop.client.v1.invoices.retrieve(str(invoice.id))
    assert refusal.value.code == "card_declined"
    assert (after.attempt_count, after.next_payment_attempt) == (1, first + 3 * DAY_S)


def test_a_renewal_that_needs_the_customer_says_so(shop: Shop) -> None:
    who = customer(shop)
    subscription = subscribe(shop, who, shop.price())
    shop.control("cards", customer=who.id, behavior="authenticate")

    shop.control("clock", to=_first_attempt(subscription))

    assert current(shop, subscription).status == "past_due"
    assert types(shop, "invoice.payment_")[-2:] == ["invoice.payment_action_required", "invoice.payment_failed"]
    charge = shop.client.v1.charges.list({"customer": who.id}).data[0]
    assert (charge.status, charge.failure_code) == ("failed", "authentication_required")


@pytest.mark.parametrize(("outcome", "status"), [("succeed", "active"), ("fail", "incomplete")])
def test_a_first_payment_waits_for_authentication(shop: Shop, outcome: str, status: str) -> None:
    subscription = subscribe(shop, customer(shop, "pm_card_authenticationRequired"), shop.price())
    invoice: Any = subscription.latest_invoice
    intent = shop.client.v1.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)

    shop.control(f"payment_intents/{intent.id}/authenticate", outcome=outcome)

    assert (subscription.status, intent.status) == ("incomplete", "requires_action")
    assert current(shop, subscription).status == status
    assert "invoice.payment_action_required" in types(shop)


def test_without_a_card_a_renewal_fails_without_a_charge(shop: Shop) -> None:
    who = customer(shop)
    subscription = subscribe(shop, who, shop.price())
    for method in shop.client.v1.payment_methods.list({"customer": who.id}).data:
        shop.client.v1.payment_methods.detach(method.id)

    shop.control("clock", to=_first_attempt(subscription))

    assert current(shop, subscription).status == "past_due"
    assert len(shop.client.v1.charges.list({"customer": who.id}).data) == 1


def test_collecting_the_same_period_twice_would_show_in_the_ledger(shop: Shop) -> None:
    _, subscription = _failing(shop)
    shop.control("clock", to=_first_attempt(subscription))
    invoice = invoices(shop, subscription)[-1]
    shop.client.v1.invoices.pay(str(invoice.id), {"paid_out_of_band": True})

    wait(shop, days=21)

    assert invoices(shop, subscription)[1].status == "paid"
    assert shop.control("ledger")["charged"] == {"usd": 1200}
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        shop.client.v1.invoices.pay(str(invoice.id))
