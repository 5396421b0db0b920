"""Payment methods: test tokens and numbers, attached, listed, made a default, detached."""

from __future__ import annotations

import pytest
import stripe

from tests.fidelity.billing import customer, subscribe, types
from tests.fidelity.shop import Shop


def test_a_token_makes_a_new_method_each_time(shop: Shop) -> None:
    who = customer(shop, None)

    first = shop.client.v1.payment_methods.attach("pm_card_visa", {"customer": who.id})
    second = shop.client.v1.payment_methods.attach("pm_card_mastercard", {"customer": who.id})

    listed = shop.client.v1.customers.payment_methods.list(who.id).data
    assert first.id.startswith("pm_1")
    assert [method.id for method in listed] == [second.id, first.id]
    assert [method.card.brand for method in listed if method.card] == ["mastercard", "visa"]
    assert types(shop, "payment_method") == ["payment_method.attached"] * 2


def test_a_number_or_a_token_makes_a_method(shop: Shop) -> None:
    methods = shop.client.v1.payment_methods

    numbered = methods.create(
        {"type": "card", "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}}
    )
    named = methods.create({"type": "card", "card": {"token": "tok_visa"}, "billing_details": {"name": "Ada"}})

    assert numbered.card
    assert named.card
    assert (numbered.card.last4, numbered.customer) == ("4242", None)
    assert numbered.card.fingerprint == named.card.fingerprint
    assert methods.retrieve(named.id).billing_details.name == "Ada"
    assert methods.update(named.id, {"metadata": {"a": "b"}}).to_dict()["metadata"] == {"a": "b"}


def test_a_card_whose_bank_refuses_is_not_saved(shop: Shop) -> None:
    who = customer(shop, None)

    with pytest.raises(stripe.CardError) as refusal:
        shop.client.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": who.id})
    with pytest.raises(stripe.CardError):
        customer(shop, "pm_card_chargeDeclinedInsufficientFunds")

    assert refusal.value.code == "card_declined"
    assert len(shop.client.v1.customers.list().data) == 1
    assert shop.client.v1.customers.payment_methods.list(who.id).data == []


def test_the_method_of_the_subscription_comes_before_the_customers(shop: Shop) -> None:
    who = customer(shop, "pm_card_chargeCustomerFail")
    good = shop.client.v1.payment_methods.attach("pm_card_visa", {"customer": who.id})

    subscription = subscribe(shop, who, shop.price(), default_payment_method=good.id)

    charge = shop.client.v1.charges.list({"customer": who.id}).data[0]
    assert subscription.status == "active"
    assert charge.payment_method == good.id


def test_another_customers_method_cannot_be_used(shop: Shop) -> None:
    who, other = customer(shop), customer(shop)
    method = shop.client.v1.customers.payment_methods.list(other.id).data[0]

    with pytest.raises(stripe.InvalidRequestError):
        subscribe(shop, who, shop.price(), default_payment_method=method.id)
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.payment_methods.attach(method.id, {"customer": who.id})
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.customers.update(who.id, {"invoice_settings": {"default_payment_method": method.id}})


def test_detaching_takes_the_default_away(shop: Shop) -> None:
    who = customer(shop)
    default = str(who.invoice_settings.default_payment_method)  # type: ignore[union-attr]

    detached = shop.client.v1.payment_methods.detach(default)

    after = shop.client.v1.customers.retrieve(who.id)
    assert detached.customer is None
    assert after.invoice_settings
    assert after.invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError):
        shop.client.v1.payment_methods.detach(default)


@pytest.mark.parametrize("behavior", ["decline", "authenticate"])
def test_a_customers_cards_can_be_made_to_fail_and_to_work_again(shop: Shop, behavior: str) -> None:
    who = customer(shop)
    shop.control("cards", customer=who.id, behavior=behavior)
    failed = subscribe(shop, who, shop.price()).status

    shop.control("cards", customer=who.id, behavior="normal")
    worked = subscribe(shop, who, shop.price()).status

    assert (failed, worked) == ("incomplete", "active")


def test_insufficient_funds_are_told_apart(shop: Shop) -> None:
    session = shop.session(shop.price(recurring=None, unit_amount=900))

    shop.pay(session, "4000 0000 0000 9995")

    charge = shop.client.v1.charges.list().data[0]
    assert charge.outcome
    assert (charge.failure_code, charge.outcome.reason) == ("card_declined", "insufficient_funds")
