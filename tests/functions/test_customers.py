from __future__ import annotations

import pytest

from keywright.platform import clock
from tests.api import Api
from tests.functions.test_auth import comparable
from tests.integration.identity.people import log_in, rows, run, verified


def signed_in(email: str) -> tuple[str, str]:
    """Return (customer_sid, access token) of a new user."""
    now = clock.now()
    verified(email, now=now)
    (row,) = rows("SELECT customer_sid FROM customers WHERE billing_email = %(email)s", email=email)
    return str(row["customer_sid"]), log_in(email, now=now).access_token


def test_the_owner_reads_the_customer(call: Api) -> None:
    customer_sid, token = signed_in("ada@example.com")

    answer = call("customers", "GET", f"/v1/customers/{customer_sid}", token=token)

    assert answer.status == 200
    customer = answer.json
    assert customer.pop("created_at").endswith("Z")
    assert customer == {
        "customer_sid": customer_sid,
        "kind": "PERSON",
        "name": "Ada",
        "billing_email": "ada@example.com",
        "stripe_customer_id": None,
    }


def test_a_foreign_customer_answers_as_an_absent_one_byte_for_byte(call: Api) -> None:
    customer_sid, _ = signed_in("ada@example.com")
    _, token = signed_in("eve@example.com")

    foreign = call("customers", "GET", f"/v1/customers/{customer_sid}", token=token)
    absent = call("customers", "GET", "/v1/customers/cus_absent", token=token)

    assert (foreign.status, foreign.json["code"]) == (404, "customer-not-found")
    assert comparable(foreign) == comparable(absent)


@pytest.mark.parametrize("role", ["ADMIN", "MANAGER"])
def test_staff_reads_every_customer(call: Api, role: str) -> None:
    customer_sid, _ = signed_in("ada@example.com")
    _, token = signed_in("staff@example.com")
    run("UPDATE users SET role = %(role)s WHERE email = 'staff@example.com'", role=role)

    answer = call("customers", "GET", f"/v1/customers/{customer_sid}", token=token)

    assert (answer.status, answer.json["customer_sid"]) == (200, customer_sid)


def test_nobody_reads_a_customer_without_a_token(call: Api) -> None:
    customer_sid, _ = signed_in("ada@example.com")

    answer = call("customers", "GET", f"/v1/customers/{customer_sid}")

    assert (answer.status, answer.json["code"]) == (401, "access-token-invalid")
