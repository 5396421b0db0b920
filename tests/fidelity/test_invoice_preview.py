"""Previews: they say to the cent what the invoice will, and leave no trace."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fidelity.billing import HOUR_S, current, customer, invoices, period, subscribe, types
from tests.fidelity.shop import Shop

WEEK: Any = {"interval": "week"}


def _preview(shop: Shop, **given: Any) -> stripe.Invoice:
    request: Any = given
    return shop.client.v1.invoices.create_preview(request)


def _amounts(invoice: stripe.Invoice) -> list[int]:
    return sorted(line.amount for line in invoice.lines.data)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"quantity": 4},
        {"quantity": 4, "proration_behavior": "none"},
        {"quantity": 4, "proration_behavior": "always_invoice"},
        {"price": "cheap", "proration_behavior": "always_invoice"},
        {"price": "year"},
    ],
)
def test_a_preview_of_a_change_is_what_the_invoice_says(shop: Shop, change: dict[str, Any]) -> None:
    prices = {
        "cheap": shop.price(recurring=WEEK, unit_amount=10),
        "year": shop.price(recurring={"interval": "year"}, unit_amount=99_999),
    }
    subscription = subscribe(shop, customer(shop), shop.price(recurring=WEEK, unit_amount=1001))
    start, end = (int(edge.timestamp()) for edge in period(subscription))
    at = start + (end - start) // 3
    shop.control("clock", to=at)
    item = {key: value for key, value in change.items() if key != "proration_behavior"}
    if "price" in item:
        item["price"] = prices[item["price"]].id
    details = {"items": [{"id": subscription["items"]["data"][0]["id"], **item}]} if item else {}
    details |= {"proration_date": at} | {key: value for key, value in change.items() if key == "proration_behavior"}

    preview = _preview(shop, subscription=subscription.id, subscription_details=details)
    if item:
        request: Any = details
        shop.client.v1.subscriptions.update(subscription.id, request)
    made = invoices(shop, subscription)
    if len(made) == 1:
        shop.control("clock", to=end + HOUR_S)
        made = invoices(shop, subscription)

    assert _amounts(preview) == _amounts(made[1])
    assert (preview.total, preview.amount_due) == (made[1].total, made[1].amount_due)
    assert (preview.billing_reason, preview.status, preview.number) == ("upcoming", "draft", None)


def test_a_preview_of_a_new_subscription_is_its_first_invoice(shop: Shop) -> None:
    who = customer(shop, balance=-100)
    tiers = [{"up_to": 5, "unit_amount": 300}, {"up_to": "inf", "unit_amount_decimal": "0.7"}]
    tiered = shop.price(billing_scheme="tiered", tiers_mode="graduated", tiers=tiers)
    items = [{"price": tiered.id, "quantity": 9}, {"price": shop.price().id}]

    preview = _preview(shop, customer=who.id, subscription_details={"items": items})
    subscription = subscribe(shop, who, items=items)

    invoice: Any = subscription.latest_invoice
    assert preview.total == invoice.total == 1503 + 1200
    assert preview.amount_due == invoice.amount_due == invoice.total - 100
    assert preview.amount_due == invoice.amount_paid


def test_a_preview_of_a_trial_is_free(shop: Shop) -> None:
    end = shop.account.clock.now() + 86_400

    preview = _preview(
        shop,
        customer=customer(shop).id,
        subscription_details={"items": [{"price": shop.price().id}], "trial_end": end},
    )

    assert (preview.total, len(preview.lines.data)) == (0, 1)


def test_a_preview_takes_what_waits_and_what_is_asked_about(shop: Shop) -> None:
    who = customer(shop)
    subscription = subscribe(shop, who, shop.price())
    shop.client.v1.invoice_items.create({"customer": who.id, "amount": 300, "currency": "usd"})

    preview = _preview(shop, subscription=subscription.id, invoice_items=[{"amount": 50, "currency": "usd"}])

    assert _amounts(preview) == [50, 300, 1200]


def test_a_preview_leaves_no_trace(shop: Shop) -> None:
    subscription = subscribe(shop, customer(shop), shop.price(recurring=WEEK))
    before, known = current(shop, subscription), len(types(shop))
    item = subscription["items"]["data"][0]["id"]

    preview = _preview(
        shop, subscription=subscription.id, subscription_details={"items": [{"id": item, "quantity": 9}]}
    )

    assert len(types(shop)) == known
    assert current(shop, subscription) == before
    assert shop.client.v1.invoice_items.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.invoices.retrieve(str(preview.id))


def test_a_preview_of_nothing_is_refused(shop: Shop) -> None:
    for given in ({}, {"customer": customer(shop).id}, {"subscription": "sub_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            _preview(shop, **given)
