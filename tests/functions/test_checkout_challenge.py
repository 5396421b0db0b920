"""A challenge given at checkout is checked there, and kept until what is bought is paid."""

from __future__ import annotations

from typing import Any

import pytest

from keywright.platform import db
from tests.api import Answer, Api
from tests.buyers import Buyer, add_buyer
from tests.licenses import machine
from tests.purchases import AIR_GAPPED, fold
from tests.stripe_events import event, one_time_price, price, product


@pytest.fixture
def buyer(clean_database: Any) -> Buyer:
    """Somebody before a catalog of two products, one of them air-gapped."""
    buyer = add_buyer()
    fold(
        event("product.created", product()),
        event("price.created", price()),
        event("product.created", product("prod_air", metadata=AIR_GAPPED)),
        event("price.created", one_time_price(unit_amount_decimal="490000")),
    )
    return buyer


def open_checkout(call: Api, buyer: Buyer, *, price_id: str, challenge: str) -> Answer:
    body = {"domain_sid": buyer.domain_sid, "price_id": price_id, "challenge": challenge}
    return call("checkout", "POST", "/v1/checkout-sessions", body=body, token=buyer.token)


def kept() -> list[Any]:
    return [row["challenge"] for row in db.transact(lambda tx: tx.all("SELECT challenge FROM checkout_sessions"))]


def test_a_challenge_is_kept_with_the_intention(call: Api, buyer: Buyer):
    challenge = machine(domain=buyer.domain_name)

    # Stripe does not answer here: the intention is committed before it is asked.
    answer = open_checkout(call, buyer, price_id=one_time_price()["id"], challenge=challenge)

    assert (answer.status, kept()) == (503, [challenge])


def test_what_is_used_with_a_network_takes_no_challenge(call: Api, buyer: Buyer):
    answer = open_checkout(call, buyer, price_id=price()["id"], challenge=machine())

    assert (answer.status, answer.json["code"], kept()) == (409, "license-not-air-gapped", [])


def test_what_is_no_challenge_is_refused_in_words(call: Api, buyer: Buyer):
    answer = open_checkout(call, buyer, price_id=one_time_price()["id"], challenge="garbage")

    assert (answer.status, answer.json["code"], kept()) == (422, "challenge-invalid", [])
    assert answer.json["detail"] == "The challenge cannot be used. It is not JSON."


def test_a_challenge_for_another_domain_is_refused_before_anything_is_paid(call: Api, buyer: Buyer):
    answer = open_checkout(call, buyer, price_id=one_time_price()["id"], challenge=machine(domain="eve.example.com"))

    assert (answer.status, answer.json["code"], kept()) == (422, "challenge-invalid", [])
