"""Trials: announced, ended by time or by hand, and what happens when nobody left a card."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fidelity.billing import DAY_S, HOUR_S, current, customer, events, invoices, statuses, subscribe, types, wait
from tests.fidelity.shop import Shop


def _trial(shop: Shop, card: str | None = "pm_card_visa", *, end: str = "create_invoice", days: int = 14) -> Any:
    settings = {"end_behavior": {"missing_payment_method": end}}
    return subscribe(shop, customer(shop, card), shop.price(), trial_period_days=days, trial_settings=settings)


def test_a_trial_costs_nothing_and_then_the_first_period_is_billed(shop: Shop) -> None:
    subscription = _trial(shop)
    end = subscription.trial_end

    shop.control("clock", to=end + HOUR_S)

    free, paid = invoices(shop, subscription)
    assert (subscription.status, end) == ("trialing", subscription.trial_start + 14 * DAY_S)
    assert (free.total, free.status, free.billing_reason) == (0, "paid", "subscription_create")
    assert str(free.lines.data[0].description).startswith("Trial period for")
    assert (paid.total, paid.status, paid.billing_reason) == (1200, "paid", "subscription_cycle")
    assert paid.lines.data[0].period.start == end
    assert statuses(shop) == ["trialing", "active"]


def test_the_end_is_announced_three_days_before(shop: Shop) -> None:
    subscription = _trial(shop)

    shop.control("clock", to=subscription.trial_end)

    announced = [when for when, kind in events(shop) if kind == "customer.subscription.trial_will_end"]
    assert announced == [subscription.trial_end - 3 * DAY_S]


def test_a_short_trial_is_announced_at_once(shop: Shop) -> None:
    _trial(shop, days=2)

    assert types(shop, "customer.subscription") == [
        "customer.subscription.created",
        "customer.subscription.trial_will_end",
    ]


@pytest.mark.parametrize(
    ("behavior", "seen"),
    [
        ("pause", ["trialing", "paused"]),
        ("cancel", ["trialing", "canceled"]),
        ("create_invoice", ["trialing", "active", "past_due"]),
    ],
)
def test_a_trial_that_ends_without_a_card_follows_its_settings(shop: Shop, behavior: str, seen: list[str]) -> None:
    subscription = _trial(shop, None, end=behavior)

    shop.control("clock", to=subscription.trial_end + HOUR_S)

    assert statuses(shop) == seen
    assert len(invoices(shop, subscription)) == (2 if behavior == "create_invoice" else 1)


def test_a_card_given_during_the_trial_prevents_the_pause(shop: Shop) -> None:
    subscription = _trial(shop, None, end="pause")
    shop.client.v1.payment_methods.attach("pm_card_visa", {"customer": subscription.customer})
    method = shop.client.v1.customers.payment_methods.list(subscription.customer).data[0]
    shop.client.v1.customers.update(subscription.customer, {"invoice_settings": {"default_payment_method": method.id}})

    shop.control("clock", to=subscription.trial_end + HOUR_S)

    assert statuses(shop) == ["trialing", "active"]


def test_a_paused_one_makes_no_invoices_until_it_is_resumed(shop: Shop) -> None:
    subscription = _trial(shop, None, end="pause")
    shop.control("clock", to=subscription.trial_end)
    wait(shop, days=90)
    paused = current(shop, subscription)
    kept = len(invoices(shop, subscription))
    method = shop.client.v1.payment_methods.attach("pm_card_visa", {"customer": subscription.customer})
    shop.client.v1.subscriptions.update(subscription.id, {"default_payment_method": method.id})

    resumed = shop.client.v1.subscriptions.resume(subscription.id)

    now = shop.account.clock.now()
    assert (paused.status, kept) == ("paused", 1)
    assert resumed.status == "active"
    assert abs(resumed["items"]["data"][0]["current_period_start"] - now) <= 5
    assert invoices(shop, subscription)[-1].total == 1200
    assert {"customer.subscription.paused", "customer.subscription.resumed"} <= set(types(shop))


def test_resuming_lasts_until_the_invoice_is_paid(shop: Shop) -> None:
    subscription = _trial(shop, None, end="pause")
    shop.control("clock", to=subscription.trial_end)
    method = shop.client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": subscription.customer})
    shop.client.v1.subscriptions.update(subscription.id, {"default_payment_method": method.id})

    first = shop.client.v1.subscriptions.resume(subscription.id).status
    wait(shop, hours=24)
    voided = invoices(shop, subscription)[-1].status
    shop.client.v1.subscriptions.resume(subscription.id)
    shop.client.v1.invoices.pay(str(invoices(shop, subscription)[-1].id), {"payment_method": "pm_card_visa"})

    assert (first, voided) == ("paused", "void")
    assert current(shop, subscription).status == "active"


def test_only_a_paused_one_can_be_resumed(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop), shop.price())

    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.resume(subscription.id)


def test_ending_a_trial_now_charges_now(shop: Shop) -> None:
    subscription = _trial(shop)
    wait(shop, days=2)

    ended = shop.client.v1.subscriptions.update(subscription.id, {"trial_end": "now"})

    invoice = invoices(shop, subscription)[-1]
    assert (ended.status, invoice.status, invoice.total) == ("active", "paid", 1200)
    assert invoice.billing_reason == "subscription_update"
    assert ended.billing_cycle_anchor == ended["items"]["data"][0]["current_period_start"] == ended.trial_end
    wait(shop, days=13)
    assert len(invoices(shop, subscription)) == 2


def test_a_trial_can_be_made_longer(shop: Shop) -> None:
    subscription = _trial(shop)
    later = subscription.trial_end + 7 * DAY_S

    shop.client.v1.subscriptions.update(subscription.id, {"trial_end": later, "proration_behavior": "none"})
    shop.control("clock", to=later - 600)
    before = current(shop, subscription).status
    shop.control("clock", to=later)

    assert (before, current(shop, subscription).status) == ("trialing", "active")


def test_a_trial_bought_on_the_hosted_page_is_charged_to_its_card_afterwards(shop: Shop) -> None:
    setup = shop.price(recurring=None, unit_amount=700)
    items = [{"price": shop.price().id, "quantity": 2}, {"price": setup.id, "quantity": 1}]
    session = shop.session(shop.price(), line_items=items, subscription_data={"trial_period_days": 7})
    shop.pay(session)
    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    subscription: Any = done.subscription

    shop.control("clock", to=subscription.trial_end + HOUR_S)

    assert (session.amount_total, done.payment_status, subscription.status) == (700, "paid", "trialing")
    assert [invoice.total for invoice in invoices(shop, subscription)] == [700, 2400]
    assert statuses(shop) == ["trialing", "active"]
    assert current(shop, subscription).status == "active"


@pytest.mark.parametrize(("anchor", "total"), [("now", 7000), ("unchanged", 3500)])
def test_resuming_may_keep_the_old_cycle(shop: Shop, anchor: str, total: int) -> None:
    settings: Any = {"end_behavior": {"missing_payment_method": "pause"}}
    price = shop.price(recurring={"interval": "week"}, unit_amount=7000)
    subscription: Any = subscribe(shop, customer(shop, None), price, trial_period_days=3, trial_settings=settings)
    method = shop.client.v1.payment_methods.attach("pm_card_visa", {"customer": subscription.customer})
    shop.control("clock", to=subscription.trial_end)
    shop.client.v1.subscriptions.update(subscription.id, {"default_payment_method": method.id})
    shop.control("clock", to=subscription.trial_end + 7 * DAY_S // 2)

    request: Any = {"billing_cycle_anchor": anchor}
    shop.client.v1.subscriptions.resume(subscription.id, request)

    assert abs(invoices(shop, subscription)[-1].total - total) <= 1


def test_canceling_at_the_end_of_the_trial_bills_nothing(shop: Shop) -> None:
    subscription = _trial(shop)
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})

    shop.control("clock", to=subscription.trial_end)

    assert current(shop, subscription).status == "canceled"
    assert [invoice.total for invoice in invoices(shop, subscription)] == [0]
