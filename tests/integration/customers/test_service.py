from __future__ import annotations

import pytest

from keywright.customers import service
from keywright.customers.models import Customer, CustomerNotFound, StripeCustomerMismatch
from keywright.platform import db
from tests.integration.identity.people import NOW, audited, rows, sign_up

pytestmark = pytest.mark.usefixtures("clean_database")


def the_customer() -> str:
    return str(rows("SELECT customer_sid FROM customers")[0]["customer_sid"])


def attach(customer_sid: str, stripe_customer_id: str) -> None:
    db.transact(
        lambda tx: service.attach_stripe_customer(
            tx, customer_sid=customer_sid, stripe_customer_id=stripe_customer_id, now=NOW
        )
    )


def find(stripe_customer_id: str) -> Customer | None:
    return db.transact(lambda tx: service.find_by_stripe_customer(tx, stripe_customer_id))


def test_a_customer_is_found_by_its_stripe_customer() -> None:
    sign_up()

    attach(the_customer(), "cus_stripe")

    found = find("cus_stripe")
    assert found is not None
    assert found.customer_sid == the_customer()
    assert find("cus_other") is None


def test_attaching_the_same_stripe_customer_again_does_nothing() -> None:
    sign_up()

    attach(the_customer(), "cus_stripe")
    attach(the_customer(), "cus_stripe")

    assert audited().count("STRIPE_CUSTOMER_ATTACHED") == 1


def test_a_customer_never_moves_to_another_stripe_customer() -> None:
    sign_up()
    attach(the_customer(), "cus_stripe")

    with pytest.raises(StripeCustomerMismatch):
        attach(the_customer(), "cus_other")


def test_a_stripe_customer_cannot_be_attached_to_nobody() -> None:
    with pytest.raises(CustomerNotFound):
        attach("cus_absent", "cus_stripe")


def test_a_customer_exists_for_its_members_only() -> None:
    user_sid = sign_up()
    stranger_sid = sign_up("eve@example.com")
    customer_sid = rows("SELECT customer_sid FROM customer_members WHERE user_sid = %(u)s", u=user_sid)[0][
        "customer_sid"
    ]

    def read(reader_sid: str) -> Customer:
        return db.transact(
            lambda tx: service.get_customer_of_member(tx, customer_sid=customer_sid, user_sid=reader_sid)
        )

    assert read(user_sid).billing_email == "ada@example.com"
    with pytest.raises(CustomerNotFound):
        read(stranger_sid)


def test_an_id_that_no_customer_can_have_finds_none() -> None:
    with pytest.raises(CustomerNotFound):
        db.transact(lambda tx: service.get_customer(tx, customer_sid="künde"))
    with pytest.raises(CustomerNotFound):
        db.transact(lambda tx: service.get_customer_of_member(tx, customer_sid="künde", user_sid="usr_1"))
