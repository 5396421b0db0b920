"""Money that goes back: refunds that the vendor makes, and disputes that a customer's bank opens."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fidelity.shop import Shop


def _charge(shop: Shop) -> stripe.Charge:
    """Return the charge of 12.00 USD for a new subscription."""
    shop.bought(shop.price())
    return shop.client.v1.charges.list().data[0]


def _told(shop: Shop, *families: str) -> list[str]:
    return [name for name in shop.event_types() if name.startswith(families)]


def test_a_whole_refund_needs_no_amount(shop: Shop) -> None:
    charge = _charge(shop)

    refund = shop.client.v1.refunds.create({"payment_intent": str(charge.payment_intent), "reason": "duplicate"})

    after = shop.client.v1.charges.retrieve(charge.id)
    assert (refund.amount, refund.status, refund.charge) == (1200, "succeeded", charge.id)
    assert (after.amount_refunded, after.refunded) == (1200, True)
    assert _told(shop, "refund.", "charge.refunded") == ["refund.created", "charge.refunded"]
    assert shop.control("ledger")["refunded"] == {"usd": 1200}


def test_a_charge_is_refunded_in_parts_until_nothing_is_left(shop: Shop) -> None:
    charge, refunds = _charge(shop), shop.client.v1.refunds

    refunds.create({"charge": charge.id, "amount": 500})
    between = shop.client.v1.charges.retrieve(charge.id)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded amount"):
        refunds.create({"charge": charge.id, "amount": 701})
    refunds.create({"charge": charge.id, "amount": 700})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        refunds.create({"charge": charge.id})

    previous = [
        event.data.previous_attributes.to_dict()  # type: ignore[union-attr]
        for event in shop.client.v1.events.list({"type": "charge.refunded"}).data
    ]
    assert (between.amount_refunded, between.refunded) == (500, False)
    assert refusal.value.code == "charge_already_refunded"
    assert [refund.amount for refund in refunds.list({"charge": charge.id}).data] == [700, 500]
    assert previous == [{"amount_refunded": 500, "refunded": False}, {"amount_refunded": 0}]


def test_a_refund_that_the_bank_sends_back_is_undone(shop: Shop) -> None:
    charge = _charge(shop)
    refund = shop.client.v1.refunds.create({"charge": charge.id, "metadata": {"case": "1"}})

    shop.browser.post(f"{shop.url}/_control/refunds/{refund.id}/fail").raise_for_status()

    assert shop.client.v1.refunds.retrieve(refund.id).status == "failed"
    assert shop.client.v1.charges.retrieve(charge.id).amount_refunded == 0
    assert _told(shop, "refund.") == ["refund.created", "refund.updated", "refund.failed"]


@pytest.mark.parametrize(
    ("verdict", "last"),
    [
        ("won", ["charge.dispute.closed", "charge.dispute.funds_reinstated"]),
        ("lost", ["charge.dispute.closed"]),
    ],
)
def test_a_dispute_is_opened_answered_and_decided(shop: Shop, verdict: str, last: list[str]) -> None:
    charge = _charge(shop)

    opened = shop.control("disputes", charge=charge.id, reason="product_not_received")
    answered = shop.client.v1.disputes.update(opened["id"], {"evidence": {"customer_name": "Ada"}})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        shop.client.v1.refunds.create({"charge": charge.id})
    shop.control(f"disputes/{opened['id']}/close", status=verdict)

    closed = shop.client.v1.disputes.retrieve(opened["id"])
    assert (opened["status"], answered.status, closed.status) == ("needs_response", "under_review", verdict)
    assert shop.client.v1.charges.retrieve(charge.id).disputed is True
    assert refusal.value.code == "charge_disputed"
    assert _told(shop, "charge.dispute") == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        *last,
    ]


def test_the_vendor_may_give_in_but_only_once(shop: Shop) -> None:
    opened = shop.control("disputes", charge=_charge(shop).id)
    close = shop.client.v1.disputes.close

    assert close(opened["id"]).status == "lost"
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        close(opened["id"])


def test_an_inquiry_takes_no_money_and_evidence_may_decide_a_dispute(shop: Shop) -> None:
    for method in ("pm_card_createDisputeInquiry", "pm_card_createDispute"):
        shop.client.v1.payment_intents.create(
            {"amount": 900, "currency": "usd", "confirm": True, "payment_method": method}
        )
    disputed, asked = shop.client.v1.disputes.list().data

    won = shop.client.v1.disputes.update(disputed.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    closed = shop.client.v1.disputes.close(asked.id)

    assert (asked.status, closed.status, won.status) == ("warning_needs_response", "warning_closed", "won")
    assert _told(shop, "charge.dispute.funds") == [
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    ]


def test_the_ledger_knows_what_was_charged_for_which_period(shop: Shop) -> None:
    subscription = shop.bought(shop.price())
    item = subscription["items"].data[0]

    [period] = shop.control("ledger")["periods"]

    expected: dict[str, Any] = {
        "subscription": subscription.id,
        "start": item.current_period_start,
        "end": item.current_period_end,
        "currency": "usd",
        "amount": 1200,
        "invoices": [subscription.latest_invoice.id],  # type: ignore[union-attr]
    }
    assert {name: value for name, value in period.items() if name != "charges"} == expected
    assert len(period["charges"]) == 1
