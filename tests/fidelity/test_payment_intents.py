"""Payments that the API makes by itself, outside of checkout and invoices."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.fidelity.shop import Shop


def _pay(shop: Shop, method: str, **details: Any) -> stripe.PaymentIntent:
    given: Any = {"amount": 2000, "currency": "usd", "payment_method": method, "confirm": True, **details}
    return shop.client.v1.payment_intents.create(given)


def test_a_card_pays_at_once(shop: Shop) -> None:
    intent = _pay(shop, "pm_card_visa", metadata={"order": "1"})

    charge = shop.client.v1.charges.retrieve(str(intent.latest_charge))
    assert (intent.status, charge.amount_captured, charge.metadata.to_dict()) == ("succeeded", 2000, {"order": "1"})
    assert shop.event_types() == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


def test_a_decline_is_an_error_that_leaves_its_traces(shop: Shop) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        _pay(shop, "pm_card_chargeDeclined")

    [intent] = shop.client.v1.payment_intents.list().data
    assert (refusal.value.code, intent.status) == ("card_declined", "requires_payment_method")
    assert shop.event_types()[-1] == "payment_intent.payment_failed"


def test_a_payment_waits_for_its_confirmation_or_is_given_up(shop: Shop) -> None:
    intents = shop.client.v1.payment_intents
    waiting, unwanted = _pay(shop, "pm_card_visa", confirm=False), _pay(shop, "pm_card_visa", confirm=False)

    paid, canceled = intents.confirm(waiting.id), intents.cancel(unwanted.id)

    assert (waiting.status, paid.status, canceled.status) == ("requires_confirmation", "succeeded", "canceled")
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        intents.confirm(unwanted.id)


def test_some_cards_are_disputed_and_some_want_their_owner(shop: Shop) -> None:
    disputed, asking = _pay(shop, "pm_card_createDispute"), _pay(shop, "pm_card_authenticationRequired")

    [dispute] = shop.client.v1.disputes.list().data
    assert (disputed.status, dispute.payment_intent) == ("succeeded", disputed.id)
    assert asking.status == "requires_action"
