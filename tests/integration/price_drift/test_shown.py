"""What the buyer was shown is what the first invoice must say, in amount and terms; renewals are arithmetic."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api import Api
from tests.buyers import add_buyer
from tests.fidelity.shop import Shop
from tests.integration.price_drift.bills import compare, compared, uncompared
from tests.purchases import fold
from tests.stripe_events import event, price, product


@pytest.fixture
def bought(call: Api, shop: Shop, database: Any) -> dict[str, Any]:
    """A purchase of one unit for 49.00 USD of which all is folded but the invoice, which is returned."""
    ada = add_buyer()
    customer = shop.client.v1.customers.create({"email": "ada@example.com"})
    database.execute("UPDATE customers SET stripe_customer_id = %s", customer.id)
    made = shop.price(unit_amount=4900, currency_options={"eur": {"unit_amount": 4900}})
    options = {name: {"unit_amount": 4900, "unit_amount_decimal": "4900"} for name in ("usd", "eur")}
    fold(
        event("product.created", product(metadata={"usage_based": "true"})),
        event("price.created", price(made.id, currency_options=options)),
        event("price.created", price("price_other", unit_amount_decimal="4900")),
    )
    body = {"domain_sid": ada.domain_sid, "price_id": made.id, "quantity": 1}
    opened = call("checkout", "POST", "/v1/checkout-sessions", body=body, token=ada.token)
    assert shop.browser.post(opened.json["url"], data={"card": "4242 4242 4242 4242"}).status_code == 303
    kinds = ("checkout.session.completed", "customer.subscription.created", "invoice.paid")
    found = [shop.client.v1.events.list({"type": kind, "limit": 1}).data[0].to_dict() for kind in kinds]
    fold(*(json.dumps(each, default=str).encode() for each in found[:-1]))
    database.execute("DELETE FROM price_comparisons")
    told: dict[str, Any] = json.loads(json.dumps(found[-1], default=str))
    return told


def tell(told: dict[str, Any], change: dict[str, Any], **of_invoice: Any) -> str:
    """Fold the invoice with another line than Stripe told."""
    bill = told["data"]["object"]
    (line,) = bill["lines"]["data"]
    line.update(change)
    bill.update(of_invoice)
    fold(json.dumps(told).encode())
    return str(bill["id"])


def priced(price_id: str) -> dict[str, Any]:
    return {"pricing": {"type": "price_details", "price_details": {"price": price_id, "product": "prod_unlimited"}}}


def test_an_invoice_that_says_what_was_shown_matches(bought: dict[str, Any], invoke: Any, database: Any):
    compare(invoke, database, tell(bought, {}))

    ((_, *found),) = compared(database)
    assert found == [1, 1, "PREVIEW", 4900, 4900, 1]


@pytest.mark.parametrize(
    ("change", "actual"),
    [
        ({"quantity": 2, "amount": 9800}, 9800),
        ({"quantity": 2}, 4900),
        ({"currency": "eur"}, 4900),
        (priced("price_other"), 4900),
        ({**priced("price_nobody_knows"), "amount": 1}, 1),
        ({"amount": 4901}, 4901),
    ],
)
def test_one_that_bills_something_else_is_a_drift_however_right_its_arithmetic(
    bought: dict[str, Any], invoke: Any, database: Any, change: dict[str, Any], actual: int
):
    job = compare(invoke, database, tell(bought, change))

    ((_, *found),) = compared(database)
    assert found == [1, change.get("quantity", 1), "PREVIEW", 4900, actual, 0]
    assert (job["state"], uncompared(database)) == ("COMPLETED", {})


def test_staff_see_what_was_shown_beside_what_was_billed(call: Api, bought: dict[str, Any], invoke: Any, database: Any):
    boss = add_buyer("boss")
    database.execute("UPDATE users SET role = 'ADMIN' WHERE user_sid = %s", boss.user_sid)
    compare(invoke, database, tell(bought, {"currency": "eur", "quantity": 3}))

    (seen,) = call("invoices", "GET", "/v1/price-drift", token=boss.token).json["items"]

    assert (seen["quantity"], seen["currency"]) == (3, "eur")
    assert (seen["shown_quantity"], seen["shown_currency"]) == (1, "usd")
    assert seen["shown_price_id"] == seen["price_id"]


def test_a_renewal_at_another_quantity_is_arithmetic(bought: dict[str, Any], invoke: Any, database: Any):
    renewal = {"billing_reason": "subscription_cycle"}

    compare(invoke, database, tell(bought, {"quantity": 2, "amount": 9800}, **renewal))

    ((_, *found),) = compared(database)
    assert found == [1, 2, "ENGINE", 9800, 9800, 1]
