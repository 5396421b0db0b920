"""What the buyer was shown is what the first invoice must say, in amount and terms; renewals are arithmetic."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from keywright.platform import db
from keywright.price_drift import repository
from keywright.price_drift.models import Comparison, Source
from tests.api import Api
from tests.buyers import add_buyer
from tests.fidelity.shop import Shop
from tests.integration.price_drift.bills import compare, compared, jobs_of, uncompared
from tests.purchases import fold
from tests.stripe_events import event, price, product

Told = dict[str, Any]


@pytest.fixture
def purchase(call: Api, shop: Shop, database: Any) -> tuple[Told, Told, Told]:
    """A purchase of one unit for 49.00 USD: what Stripe tells of its session, its subscription and its invoice."""
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
    database.execute("DELETE FROM price_comparisons")
    session, subscription, invoice = (json.loads(json.dumps(each, default=str)) for each in found)
    return session, subscription, invoice


@pytest.fixture
def bought(purchase: tuple[Told, Told, Told]) -> Told:
    """The invoice of a purchase of which all else is folded."""
    session, subscription, invoice = purchase
    fold(json.dumps(session).encode(), json.dumps(subscription).encode())
    return invoice


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


def compare_late(purchase: tuple[Told, Told, Told], invoke: Any, database: Any, change: Told) -> list[tuple[Any, ...]]:
    """Compare an invoice before its session is folded, and again when it is; return what was kept each time."""
    session, subscription, invoice = purchase
    fold(json.dumps(subscription).encode())
    invoice_id = tell(invoice, change)
    compare(invoke, database, invoice_id)
    first = compared(database)
    fold(json.dumps(session).encode())
    compare(invoke, database, f"{invoice_id}:{session['data']['object']['id']}")
    return first + compared(database)


@pytest.mark.parametrize("change", [{}, {"quantity": 2, "amount": 9800}], ids=["as shown", "another quantity"])
def test_what_was_shown_counts_however_late_the_session_is_told(
    purchase: tuple[Told, Told, Told], invoke: Any, database: Any, change: Told
):
    first, then = compare_late(purchase, invoke, database, change)

    quantity, actual = change.get("quantity", 1), change.get("amount", 4900)
    assert first[1:] == (1, quantity, "ENGINE", actual, actual, 1)
    assert then == (first[0], 1, quantity, "PREVIEW", 4900, actual, int(actual == 4900))
    assert uncompared(database) == {}


def test_arithmetic_that_comes_later_does_not_replace_what_was_shown(bought: Told, invoke: Any, database: Any):
    invoice_id = tell(bought, {"quantity": 2, "amount": 9800})
    compare(invoke, database, invoice_id)
    (before,) = compared(database)
    (kept,) = database.execute("SELECT * FROM price_comparisons")

    with_engine = Comparison(
        **{name: kept[name] for name in Comparison.__dataclass_fields__ if not name.startswith("shown_")}
    )
    late = replace(with_engine, source=Source.ENGINE, expected_minor=9800)
    db.transact(lambda tx: repository.save(tx, invoice_id, [late], []))

    assert compared(database) == [before]


def test_a_session_that_is_told_first_asks_for_nothing_more(bought: Told, invoke: Any, database: Any):
    invoice_id = tell(bought, {})

    assert [job["job_key"] for job in jobs_of(database, "price_drift.compare")] == [f"price_drift.compare:{invoice_id}"]
