"""Invoices by hand and their items, what can be done to an invoice, and the customer's balance."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fidelity.billing import DAY_S, current, customer, invoices, period, subscribe, types, wait
from tests.fidelity.shop import Shop


def _draft(shop: Shop, who: stripe.Customer, amount: int = 1000, **details: Any) -> stripe.Invoice:
    """Create a draft of one item."""
    given: Any = {"customer": who.id, "currency": "usd", **details}
    invoice = shop.client.v1.invoices.create(given)
    item: Any = {"customer": who.id, "invoice": invoice.id, "amount": amount, "currency": "usd", "description": "Work"}
    shop.client.v1.invoice_items.create(item)
    return shop.client.v1.invoices.retrieve(str(invoice.id))


def _open(shop: Shop, who: stripe.Customer, amount: int = 1000, **details: Any) -> stripe.Invoice:
    return shop.client.v1.invoices.finalize_invoice(str(_draft(shop, who, amount, **details).id))


def test_an_invoice_by_hand_takes_what_waits_and_is_paid(shop: Shop) -> None:
    who, price = customer(shop), shop.price(recurring=None, unit_amount=250)
    shop.client.v1.invoice_items.create({"customer": who.id, "pricing": {"price": price.id}, "quantity": 3})
    by_unit: Any = {"customer": who.id, "unit_amount_decimal": "0.5", "quantity": 3, "currency": "usd"}
    shop.client.v1.invoice_items.create(by_unit)

    draft = shop.client.v1.invoices.create({"customer": who.id, "pending_invoice_items_behavior": "include"})
    opened = shop.client.v1.invoices.finalize_invoice(str(draft.id))
    paid = shop.client.v1.invoices.pay(str(draft.id))

    assert (draft.status, draft.total, draft.number, draft.auto_advance) == ("draft", 752, None, False)
    assert (opened.status, opened.billing_reason, opened.parent) == ("open", "manual", None)
    assert (paid.status, paid.amount_paid, paid.amount_remaining) == ("paid", 752, 0)
    assert shop.client.v1.invoice_items.list({"pending": True}).data == []


def test_a_draft_that_advances_by_itself_is_paid_in_an_hour(shop: Shop) -> None:
    draft = _draft(shop, customer(shop), auto_advance=True)

    wait(shop, hours=1)

    invoice = shop.client.v1.invoices.retrieve(str(draft.id))
    assert draft.automatically_finalizes_at == draft.created + 3600
    assert (invoice.status, invoice.automatically_finalizes_at) == ("paid", None)


def test_a_draft_left_alone_stays_a_draft_and_can_be_deleted(shop: Shop) -> None:
    draft = _draft(shop, customer(shop))

    wait(shop, days=10)
    before = shop.client.v1.invoices.retrieve(str(draft.id)).status
    gone = shop.client.v1.invoices.delete(str(draft.id))

    assert before == "draft"
    assert gone.deleted
    assert types(shop)[-1] == "invoice.deleted"
    assert [item.invoice for item in shop.client.v1.invoice_items.list({"pending": True}).data] == [None]
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.pay(str(draft.id))


def test_a_draft_can_be_edited_and_a_finalized_invoice_hardly(shop: Shop) -> None:
    draft = _draft(shop, customer(shop))

    changes: Any = {"description": "Advice", "metadata": {"a": "b"}, "collection_method": "send_invoice"}
    changes["days_until_due"] = 9
    edited = shop.client.v1.invoices.update(str(draft.id), changes)
    shop.client.v1.invoices.finalize_invoice(str(draft.id))
    shop.client.v1.invoices.update(str(draft.id), {"metadata": {"a": "c"}})

    assert (edited.description, edited.collection_method) == ("Advice", "send_invoice")
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.update(str(draft.id), {"days_until_due": 3})
    event: Any = shop.client.v1.events.list({"type": "invoice.updated"}).data[0].to_dict()
    assert event["data"]["previous_attributes"] == {"metadata": {"a": "b"}}


def test_numbers_follow_one_another_for_each_customer(shop: Shop) -> None:
    first, second = customer(shop), customer(shop)

    numbers = [str(_open(shop, who).number).split("-") for who in (first, first, second)]

    assert [number for _, number in numbers] == ["0001", "0002", "0001"]
    assert numbers[0][0] == numbers[1][0] != numbers[2][0]


def test_voiding_cancels_the_payment_and_gives_the_balance_back(shop: Shop) -> None:
    who = customer(shop, balance=-400)
    invoice = _open(shop, who)

    shop.client.v1.invoices.void_invoice(str(invoice.id))

    payments = shop.client.v1.invoice_payments.list({"invoice": str(invoice.id)}).data
    intent = shop.client.v1.payment_intents.retrieve(str(payments[0].payment.payment_intent))
    assert (invoice.total, invoice.starting_balance, invoice.amount_due) == (1000, -400, 600)
    assert (payments[0].status, intent.status, intent.cancellation_reason) == ("canceled", "canceled", "void_invoice")
    assert shop.client.v1.customers.retrieve(who.id).balance == -400
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.pay(str(invoice.id))


def test_what_was_written_off_can_still_be_paid(shop: Shop) -> None:
    invoice = _open(shop, customer(shop))

    off = shop.client.v1.invoices.mark_uncollectible(str(invoice.id))
    paid = shop.client.v1.invoices.pay(str(invoice.id))

    assert (off.status, paid.status) == ("uncollectible", "paid")
    assert {"invoice.marked_uncollectible", "invoice.paid"} <= set(types(shop))


def test_an_invoice_is_sent_with_a_due_date(shop: Shop) -> None:
    draft = _draft(shop, customer(shop, None), collection_method="send_invoice", days_until_due=5)

    sent = shop.client.v1.invoices.send_invoice(str(draft.id))
    wait(shop, days=6)

    assert (sent.status, sent.due_date) == ("open", draft.created + 5 * DAY_S)
    assert types(shop, "invoice.")[-2:] == ["invoice.sent", "invoice.overdue"]


@pytest.mark.parametrize(("amount", "due", "ending"), [(49, 0, 49), (50, 50, 0), (0, 0, 0), (-300, 0, -300)])
def test_less_than_the_smallest_charge_is_carried_on_the_balance(
    shop: Shop, amount: int, due: int, ending: int
) -> None:
    who = customer(shop)

    invoice = _open(shop, who, amount)

    assert (invoice.total, invoice.amount_due, invoice.ending_balance) == (amount, due, ending)
    assert invoice.status == ("open" if due else "paid")
    assert shop.client.v1.customers.retrieve(who.id).balance == ending


def test_what_was_carried_is_collected_with_the_next_invoice(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop), shop.price(unit_amount=30))

    shop.control("clock", to=int(period(subscription)[1].timestamp()) + 3600)

    small, next_one = invoices(shop, subscription)
    assert (small.status, small.amount_paid, small.ending_balance) == ("paid", 0, 30)
    assert (next_one.starting_balance, next_one.amount_due, next_one.ending_balance) == (30, 60, 0)
    assert shop.control("ledger")["charged"] == {"usd": 60}


def test_charging_below_the_minimum_would_be_caught(shop: Shop) -> None:
    who = customer(shop)
    _open(shop, who, 10)

    balances = [move.type for move in shop.client.v1.customers.balance_transactions.list(who.id).data]

    assert balances == ["invoice_too_small"]
    assert shop.control("ledger")["charges"] == {}


def test_a_credit_by_hand_pays_the_next_invoice(shop: Shop) -> None:
    who = customer(shop)
    shop.client.v1.customers.balance_transactions.create(who.id, {"amount": -5000, "currency": "usd"})

    subscription = subscribe(shop, who, shop.price())

    invoice: Any = subscription.latest_invoice
    assert (subscription.status, invoice.status, invoice.amount_due) == ("active", "paid", 0)
    assert shop.client.v1.customers.retrieve(who.id).balance == -3800


def test_one_time_prices_come_with_the_first_invoice_only(shop: Shop) -> None:
    setup = shop.price(recurring=None, unit_amount=5000)
    subscription = subscribe(shop, customer(shop), shop.price(), add_invoice_items=[{"price": setup.id}])

    shop.control("clock", to=int(period(subscription)[1].timestamp()) + 3600)

    assert [invoice.total for invoice in invoices(shop, subscription)] == [6200, 1200]
    lines = invoices(shop, subscription)[0].lines.data
    assert sorted(str(line.parent.type) for line in lines if line.parent) == [
        "invoice_item_details",
        "subscription_item_details",
    ]


def test_pending_items_can_be_changed_until_an_invoice_takes_them(shop: Shop) -> None:
    who = customer(shop)
    item = shop.client.v1.invoice_items.create({"customer": who.id, "amount": 100, "currency": "usd"})

    shop.client.v1.invoice_items.update(item.id, {"amount": 700, "description": "Training"})
    other = shop.client.v1.invoice_items.create({"customer": who.id, "amount": 900, "currency": "usd"})
    shop.client.v1.invoice_items.delete(other.id)
    subscription = subscribe(shop, who, shop.price())

    invoice: Any = subscription.latest_invoice
    assert invoice.total == 1900
    assert shop.client.v1.invoice_items.retrieve(item.id).invoice == invoice.id
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoice_items.update(item.id, {"amount": 1})


def test_metered_usage_is_billed_for_the_period_that_closed_and_may_arrive_within_the_hour(shop: Shop) -> None:
    meter = shop.client.v1.billing.meters.create(
        {
            "display_name": "Checks",
            "event_name": "checks",
            "default_aggregation": {"formula": "sum"},
        }
    )
    metered = shop.price(recurring={"interval": "month", "usage_type": "metered", "meter": meter.id}, unit_amount=5)
    who = customer(shop)
    subscription = subscribe(shop, who, shop.price(), metered)
    end = int(period(subscription)[1].timestamp())

    def use(value: int, at: int) -> None:
        payload = {"stripe_customer_id": who.id, "value": str(value)}
        shop.client.v1.billing.meter_events.create({"event_name": "checks", "payload": payload, "timestamp": at})

    shop.control("clock", to=end - 100)
    use(100, end - 200)
    shop.control("clock", to=end + 60)
    draft: Any = current(shop, subscription).latest_invoice
    use(7, end - 50)
    use(1000, end + 1)
    shop.control("clock", to=end + 3600)

    first, second = invoices(shop, subscription)
    usage = next(line for line in second.lines.data if line.pricing.price_details.price == metered.id)  # type: ignore[union-attr]
    assert first.total == 1200
    assert draft.total == 1200 + 500
    assert (usage.quantity, usage.amount, usage.period.end) == (107, 535, end)
    assert (second.total, second.status) == (1200 + 535, "paid")


def test_the_last_usage_is_billed_when_it_ends(shop: Shop) -> None:
    meter = shop.client.v1.billing.meters.create(
        {"display_name": "Checks", "event_name": "checks", "default_aggregation": {"formula": "sum"}}
    )
    metered = shop.price(recurring={"interval": "month", "usage_type": "metered", "meter": meter.id}, unit_amount=5)
    who = customer(shop)
    subscription = subscribe(shop, who, metered)
    shop.client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    payload = {"stripe_customer_id": who.id, "value": "40"}
    shop.client.v1.billing.meter_events.create({"event_name": "checks", "payload": payload})

    shop.control("clock", to=int(period(subscription)[1].timestamp()) + 3600)

    assert current(shop, subscription).status == "canceled"
    assert [invoice.total for invoice in invoices(shop, subscription)] == [0, 200]
    assert invoices(shop, subscription)[-1].status == "paid"


def test_an_invoice_shows_its_first_ten_lines_and_lists_the_rest(shop: Shop) -> None:
    who = customer(shop)
    draft = _draft(shop, who)
    for number in range(11):
        item: Any = {"customer": who.id, "invoice": draft.id, "amount": 100 + number, "currency": "usd"}
        shop.client.v1.invoice_items.create(item)

    shop.client.v1.invoices.finalize_invoice(str(draft.id))
    read = shop.client.v1.invoices.retrieve(str(draft.id))
    (listed,) = shop.client.v1.invoices.list({"customer": who.id}).data
    told = shop.client.v1.events.list({"type": "invoice.finalized", "limit": 1}).data[0].data.object
    lines = shop.client.v1.invoices.line_items.list(str(draft.id), {"limit": 100})

    shown = [(len(each["lines"]["data"]), each["lines"]["has_more"]) for each in (read, listed, told)]
    assert shown == [(10, True)] * 3
    assert read.lines.url == f"/v1/invoices/{draft.id}/lines"
    assert (len(lines.data), lines.has_more) == (12, False)
    assert read.total == sum(line.amount for line in lines.data)
    assert [line.id for line in lines.data[:10]] == [line.id for line in read.lines.data]
