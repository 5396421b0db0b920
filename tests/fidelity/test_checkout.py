"""From a Checkout Session over the hosted page to a subscription with a paid invoice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.fidelity.shop import ASKS, DECLINES, Shop

EMITTED = {
    "customer.subscription.created",
    "invoice.created",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_succeeded",
    "payment_intent.succeeded",
    "charge.succeeded",
    "checkout.session.completed",
}


def test_paying_completes_the_session_and_makes_a_subscription(shop: Shop) -> None:
    customer = shop.client.v1.customers.create({"email": "ada@example.com"})
    session = shop.session(
        shop.price(),
        3,
        customer=customer.id,
        client_reference_id="domain-1",
        metadata={"on": "session"},
        subscription_data={"metadata": {"on": "subscription"}},
    )

    answer = shop.pay(session)

    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription", "line_items"]})
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"https://vendor.example/done?session={session.id}",
    )
    assert (done.status, done.payment_status, done.amount_total) == ("complete", "paid", 3600)
    assert (done.client_reference_id, done.customer, done.url) == ("domain-1", customer.id, None)
    assert done.metadata is not None
    assert done.metadata.to_dict() == {"on": "session"}
    assert done.line_items is not None
    assert done.line_items.data[0].quantity == 3
    assert isinstance(done.subscription, stripe.Subscription)
    assert done.subscription.metadata.to_dict() == {"on": "subscription"}
    assert set(shop.event_types()) >= EMITTED


def test_the_subscription_has_its_period_on_the_item(shop: Shop) -> None:
    subscription = shop.bought(shop.price(recurring={"interval": "year"}), 2)

    item = subscription["items"]["data"][0]
    start, end = (datetime.fromtimestamp(item[f"current_period_{edge}"], UTC) for edge in ("start", "end"))
    assert subscription.status == "active"
    assert item["quantity"] == 2
    assert item["price"]["unit_amount"] == 1200
    assert end.year == start.year + 1
    assert "current_period_end" not in subscription


def test_the_invoice_names_its_subscription_and_keeps_its_metadata(shop: Shop) -> None:
    subscription = shop.bought(shop.price(), subscription_data={"metadata": {"domain": "d1"}})
    shop.client.v1.subscriptions.update(subscription.id, {"metadata": {"domain": "changed"}})

    invoice = shop.client.v1.invoices.retrieve(str(subscription.latest_invoice.id), {"expand": ["payments"]})  # type: ignore[union-attr]
    details = invoice.parent.subscription_details  # type: ignore[union-attr]
    line = invoice.lines.data[0]
    assert details is not None
    assert details.subscription == subscription.id
    assert details.metadata.to_dict() == {"domain": "d1"}  # type: ignore[union-attr]
    assert (invoice.status, invoice.amount_paid, invoice.amount_remaining) == ("paid", 1200, 0)
    assert str(invoice.number).endswith("-0001")
    assert line.pricing.price_details.price == subscription["items"]["data"][0]["price"]["id"]  # type: ignore[union-attr]
    assert invoice.payments.data[0].payment.type == "payment_intent"  # type: ignore[union-attr]
    assert "Total" in shop.browser.get(str(invoice.hosted_invoice_url)).text


def test_paying_twice_charges_once(shop: Shop) -> None:
    session = shop.session(shop.price())

    answers = [shop.pay(session) for _ in range(2)]
    opened = shop.browser.get(str(session.url))

    assert [answer.status_code for answer in (*answers, opened)] == [303, 303, 303]
    assert shop.control("ledger")["charges"] == {"succeeded": 1}


def test_a_declined_card_leaves_the_session_open_for_another(shop: Shop) -> None:
    session = shop.session(shop.price())

    declined = shop.pay(session, DECLINES)
    unknown = shop.pay(session, "1234 <b>")
    paid = shop.pay(session)

    assert (declined.status_code, unknown.status_code, paid.status_code) == (402, 402, 303)
    assert "declined" in declined.text
    assert shop.control("ledger")["charges"] == {"succeeded": 1, "failed": 1}
    assert shop.event_types().count("payment_intent.payment_failed") == 1


@pytest.mark.parametrize(("choice", "status", "state"), [("complete", 303, "complete"), ("fail", 402, "open")])
def test_a_card_may_ask_for_authentication(shop: Shop, choice: str, status: int, state: str) -> None:
    session = shop.session(shop.price())

    asked = shop.pay(session, ASKS)
    answer = shop.pay(session, ASKS, authentication=choice)

    assert asked.status_code == 200
    assert "authentication" in asked.text
    assert answer.status_code == status
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == state


def test_a_one_time_payment_has_an_intent_and_no_subscription(shop: Shop) -> None:
    session = shop.session(shop.price(recurring=None), 2, payment_intent_data={"metadata": {"order": "o1"}})

    shop.pay(session, DECLINES)
    shop.pay(session, email="ada@example.com")

    done = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    intent = done.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount_received, intent.metadata.to_dict()) == ("succeeded", 2400, {"order": "o1"})
    assert intent.latest_charge.paid is True  # type: ignore[union-attr]
    assert (done.subscription, done.invoice, done.customer) == (None, None, None)
    assert done.customer_details is not None
    assert done.customer_details.email == "ada@example.com"


def test_a_subscription_without_a_customer_makes_one(shop: Shop) -> None:
    subscription = shop.bought(shop.price(), customer_email="new@example.com")

    assert shop.client.v1.customers.retrieve(str(subscription.customer)).email == "new@example.com"


def test_a_metered_price_takes_no_quantity_and_bills_nothing_at_first(shop: Shop) -> None:
    metered = shop.price(recurring={"interval": "month", "usage_type": "metered"})

    subscription = shop.bought(metered, None)

    invoice: Any = subscription.latest_invoice
    assert (invoice.total, invoice.status, invoice.lines.data[0].quantity) == (0, "paid", 0)
    assert "quantity" not in subscription["items"]["data"][0]
    assert shop.control("ledger")["charges"] == {}
    with pytest.raises(stripe.InvalidRequestError, match="no quantity"):
        shop.session(metered, 1)


def test_several_prices_and_an_inline_one_share_an_invoice(shop: Shop) -> None:
    monthly, setup = shop.price(), shop.price(recurring=None, unit_amount=5000)
    inline = {
        "currency": "usd",
        "unit_amount": 7,
        "product_data": {"name": "Extra"},
        "recurring": {"interval": "month"},
    }

    subscription = shop.bought(
        monthly,
        line_items=[
            {"price": monthly.id, "quantity": 2},
            {"price": setup.id, "quantity": 1},
            {"price_data": inline, "quantity": 3},
        ],
    )

    invoice: Any = subscription.latest_invoice
    assert sorted(line.amount for line in invoice.lines.data) == [21, 2400, 5000]
    assert invoice.total == 7421
    assert len(subscription["items"]["data"]) == 2


def test_an_expired_session_cannot_be_paid(shop: Shop) -> None:
    by_hand, by_time = shop.session(shop.price()), shop.session(shop.price())

    shop.client.v1.checkout.sessions.expire(by_hand.id)
    shop.control("clock", advance_s=24 * 3600)

    for session in (by_hand, by_time):
        assert shop.pay(session).status_code == 410
        assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert shop.event_types().count("checkout.session.expired") == 2
    assert shop.control("ledger")["charges"] == {}


def test_what_the_page_shows_is_escaped(shop: Shop) -> None:
    product = shop.client.v1.products.create({"name": "<script>alert(1)</script>"})
    session = shop.session(shop.price(product=product.id), customer_email='"><b>@example.com')

    page = shop.browser.get(str(session.url)).text

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert '"><b>' not in page
    assert "USD 12.00" in page


@pytest.mark.parametrize(
    ("details", "param"),
    [
        ({"success_url": "javascript://x/%0aalert(1)"}, "success_url"),
        ({"line_items": []}, "line_items"),
        ({"mode": "payment"}, "line_items"),
        ({"customer": "cus_absent"}, "customer"),
        ({"payment_intent_data": {"metadata": {"a": "b"}}}, "payment_intent_data"),
        ({"expires_at": 12}, "expires_at"),
    ],
)
def test_a_wrong_session_is_refused_naming_the_parameter(shop: Shop, details: dict[str, Any], param: str) -> None:
    price = shop.price()

    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.session(price, **details)

    assert refusal.value.param == param


def test_an_archived_price_cannot_be_sold(shop: Shop) -> None:
    price = shop.price()
    shop.client.v1.prices.update(price.id, {"active": False})

    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.session(price)
