"""Subscriptions from their first payment to their end: every status, and what leads to it."""

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


def test_a_card_that_pays_makes_it_active_at_once(shop: Shop) -> None:
    subscription = subscribe(
        shop,
        customer(shop),
        shop.price(),
        items=[{"price": shop.price().id, "quantity": 3}, {"price": shop.price(unit_amount=50).id}],
        metadata={"domain": "d1"},
    )

    invoice: Any = subscription.latest_invoice
    assert subscription.status == "active"
    assert [item["quantity"] for item in subscription["items"]["data"]] == [3, 1]
    assert (invoice.status, invoice.total, invoice.billing_reason) == ("paid", 3650, "subscription_create")
    assert invoice.payments.data[0].status == "paid"
    assert invoice.parent.subscription_details.metadata.to_dict() == {"domain": "d1"}


def test_a_declined_card_leaves_it_incomplete_until_it_is_paid(shop: Shop) -> None:
    who = customer(shop, "pm_card_chargeCustomerFail")
    subscription = subscribe(shop, who, shop.price())
    invoice: Any = subscription.latest_invoice

    paid = shop.client.v1.invoices.pay(invoice.id, {"payment_method": "pm_card_visa"})

    assert (subscription.status, invoice.status, invoice.attempt_count) == ("incomplete", "open", 1)
    assert invoice.next_payment_attempt is None
    assert paid.status == "paid"
    assert current(shop, subscription).status == "active"
    assert statuses(shop) == ["incomplete", "active"]


def test_nobody_pays_the_first_invoice_and_it_expires_after_23_hours(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop, "pm_card_chargeCustomerFail"), shop.price())

    wait(shop, hours=22)
    before = current(shop, subscription).status
    wait(shop, hours=1)

    after = current(shop, subscription)
    assert (before, after.status) == ("incomplete", "incomplete_expired")
    assert after.latest_invoice.status == "void"  # type: ignore[union-attr]
    assert "customer.subscription.deleted" not in types(shop)
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.subscriptions.update(subscription.id, {"metadata": {"a": "b"}})


def test_default_incomplete_waits_for_the_customer_to_confirm(shop: Shop) -> None:
    who = customer(shop, None)
    subscription = subscribe(
        shop,
        who,
        shop.price(),
        payment_behavior="default_incomplete",
        expand=["latest_invoice.confirmation_secret", "latest_invoice.payments"],
    )
    invoice: Any = subscription.latest_invoice
    intent = shop.client.v1.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)

    confirmed = shop.client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

    assert (subscription.status, invoice.status, intent.status) == ("incomplete", "open", "requires_payment_method")
    assert invoice.confirmation_secret.client_secret == intent.client_secret
    assert confirmed.status == "succeeded"
    assert current(shop, subscription).status == "active"


def test_error_if_incomplete_makes_nothing(shop: Shop) -> None:
    who = customer(shop, "pm_card_chargeCustomerFail")

    with pytest.raises(stripe.CardError) as refusal:
        subscribe(shop, who, shop.price(), payment_behavior="error_if_incomplete")

    assert (refusal.value.http_status, refusal.value.code) == (402, "card_declined")
    assert shop.client.v1.subscriptions.list({"status": "all"}).data == []


def test_without_any_way_to_pay_it_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        subscribe(shop, customer(shop, None), shop.price())


def test_a_renewal_is_drafted_then_finalized_and_paid_an_hour_later(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop), shop.price())
    end = int(period(subscription)[1].timestamp())
    known = len(events(shop))

    shop.control("clock", to=end)
    draft: Any = current(shop, subscription).latest_invoice
    wait(shop, hours=1)

    invoice: Any = current(shop, subscription).latest_invoice
    assert (draft.status, draft.number, draft.billing_reason) == ("draft", None, "subscription_cycle")
    assert draft.automatically_finalizes_at == draft.next_payment_attempt == end + HOUR_S
    assert (invoice.id, invoice.status, invoice.amount_paid) == (draft.id, "paid", 1200)
    assert invoice.lines.data[0].period.start == end
    assert events(shop)[known:] == [
        (end, "customer.subscription.updated"),
        (end, "invoice.created"),
        (end + HOUR_S, "customer.updated"),
        (end + HOUR_S, "payment_intent.created"),
        (end + HOUR_S, "invoice.finalized"),
        (end + HOUR_S, "charge.succeeded"),
        (end + HOUR_S, "payment_intent.succeeded"),
        (end + HOUR_S, "invoice_payment.paid"),
        (end + HOUR_S, "invoice.paid"),
        (end + HOUR_S, "invoice.payment_succeeded"),
    ]


def test_the_renewal_event_shows_the_period_that_it_replaced(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop), shop.price())
    start, end = period(subscription)

    shop.control("clock", to=int(end.timestamp()))

    event = shop.client.v1.events.list({"type": "customer.subscription.updated"}).data[0]
    previous: Any = event.data.previous_attributes
    assert previous["items"]["data"][0]["current_period_start"] == int(start.timestamp())
    assert previous["latest_invoice"] == subscription.latest_invoice.id  # type: ignore[union-attr]
    assert event.data.object["items"]["data"][0]["current_period_start"] == int(end.timestamp())


def test_an_anchor_cuts_the_first_period_short_and_bills_its_share(shop: Shop) -> None:
    who, price = customer(shop), shop.price(recurring={"interval": "week"}, unit_amount=7000)
    anchor = shop.account.clock.now() + 2 * DAY_S

    subscription = subscribe(shop, who, price, billing_cycle_anchor=anchor)
    shop.control("clock", to=anchor + HOUR_S)

    first, second = invoices(shop, subscription)
    assert period(subscription)[1].timestamp() == anchor == subscription.billing_cycle_anchor
    assert abs(first.total - 2000) <= 1  # the machine's clock may tick between the two calls
    assert (second.total, second.status) == (7000, "paid")


def test_a_sent_invoice_waits_for_its_due_date(shop: Shop) -> None:
    who = customer(shop, None)
    subscription = subscribe(shop, who, shop.price(), collection_method="send_invoice", days_until_due=10)

    wait(shop, hours=1)
    sent: Any = current(shop, subscription)
    wait(shop, days=10)
    late: Any = current(shop, subscription)
    shop.client.v1.invoices.pay(late.latest_invoice.id, {"paid_out_of_band": True})

    assert (sent.status, sent.latest_invoice.status) == ("active", "open")
    assert sent.latest_invoice.due_date == sent.latest_invoice.created + 10 * DAY_S
    assert late.status == "past_due"
    assert current(shop, subscription).status == "active"
    assert {"invoice.sent", "invoice.overdue"} <= set(types(shop))


def test_cancel_at_ends_it_at_that_moment(shop: Shop) -> None:
    when = shop.account.clock.now() + 10 * DAY_S
    subscription = subscribe(shop, customer(shop), shop.price(), cancel_at=when)

    shop.control("clock", to=when - 600)
    before = current(shop, subscription).status
    shop.control("clock", to=when)

    after = current(shop, subscription)
    assert (before, after.status, after.ended_at) == ("active", "canceled", when)


def test_canceling_an_incomplete_one_voids_its_invoice(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop, "pm_card_chargeCustomerFail"), shop.price())

    shop.client.v1.subscriptions.cancel(subscription.id)

    after: Any = current(shop, subscription)
    assert (after.status, after.latest_invoice.status) == ("incomplete_expired", "void")


def test_canceling_with_an_invoice_returns_what_is_left_to_the_balance(shop: Shop) -> None:
    who = customer(shop)
    subscription = subscribe(shop, who, shop.price(recurring={"interval": "day"}, unit_amount=2400))
    wait(shop, hours=6)

    shop.client.v1.subscriptions.cancel(subscription.id, {"invoice_now": True, "prorate": True})

    last = invoices(shop, subscription)[-1]
    assert -1801 <= last.total <= -1799
    assert (last.status, last.amount_due, last.ending_balance) == ("paid", 0, last.total)
    assert shop.client.v1.customers.retrieve(who.id).balance == last.total


def test_the_subscriptions_of_a_deleted_customer_end(shop: Shop) -> None:
    who = customer(shop)
    subscription = subscribe(shop, who, shop.price())

    shop.client.v1.customers.delete(who.id)
    wait(shop, days=40)

    after = shop.client.v1.subscriptions.retrieve(subscription.id)
    assert after.status == "canceled"
    assert len(invoices(shop, subscription)) == 1


def test_mixed_up_items_are_refused(shop: Shop) -> None:
    who, monthly = customer(shop), shop.price()

    wrong: list[list[dict[str, Any]]] = [
        [],
        [{"price": monthly.id}, {"price": monthly.id}],
        [{"price": monthly.id}, {"price": shop.price(recurring={"interval": "year"}).id}],
        [{"price": monthly.id}, {"price": shop.price(currency="eur").id}],
        [{"price": shop.price(recurring=None).id}],
        [{"price": "price_none"}],
        [{}],
    ]

    for items in wrong:
        with pytest.raises(stripe.InvalidRequestError):
            subscribe(shop, who, items=items)
    assert shop.client.v1.subscriptions.list({"status": "all"}).data == []


def test_only_the_first_items_of_a_long_subscription_are_shown_with_it(shop: Shop) -> None:
    who, first = customer(shop), shop.price()
    prices = [first, *(shop.price(product=first.product) for _ in range(11))]
    subscription = subscribe(shop, who, *prices)

    read = shop.client.v1.subscriptions.retrieve(subscription.id)
    (listed,) = shop.client.v1.subscriptions.list({"customer": who.id}).data
    told = shop.client.v1.events.list({"type": "customer.subscription.created"}).data[0].data.object
    items = shop.client.v1.subscription_items.list({"subscription": subscription.id, "limit": 100})

    shown = [(len(each["items"]["data"]), each["items"]["has_more"]) for each in (subscription, read, listed, told)]
    assert shown == [(10, True)] * 4
    assert (len(items.data), items.has_more) == (12, False)
    assert {item.price.id for item in items.data} == {price.id for price in prices}


def test_a_change_of_an_item_that_is_not_shown_is_told_all_the_same(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop), *(shop.price() for _ in range(12)))
    items = shop.client.v1.subscription_items.list({"subscription": subscription.id, "limit": 100}).data
    shown = [item["id"] for item in subscription["items"]["data"]]

    shop.client.v1.subscription_items.update(items[11].id, {"quantity": 7, "proration_behavior": "none"})
    (told,) = shop.client.v1.events.list({"type": "customer.subscription.updated"}).data

    previous = told.data.previous_attributes
    assert previous is not None
    assert [item["id"] for item in previous["items"]["data"]] == shown
    assert [item["id"] for item in told.data.object["items"]["data"]] == shown


def test_the_list_that_was_replaced_tells_whether_it_was_longer(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop), *(shop.price() for _ in range(11)))
    items = shop.client.v1.subscription_items.list({"subscription": subscription.id, "limit": 100}).data

    shop.client.v1.subscription_items.delete(items[0].id, {"proration_behavior": "none"})
    (told,) = shop.client.v1.events.list({"type": "customer.subscription.updated"}).data

    previous, now = told.data.previous_attributes, told.data.object["items"]
    assert previous is not None
    assert (len(previous["items"]["data"]), previous["items"]["has_more"]) == (10, True)
    assert (len(now["data"]), now["has_more"]) == (10, False)
