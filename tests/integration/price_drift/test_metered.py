"""A metered price with a flat fee, bought and renewed at the stand-in: its first invoice tells of no usage yet."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from keywright.billing import statements
from keywright.catalog import service as catalog
from keywright.platform import clock, db
from keywright.price_drift import lines, rules
from keywright.price_drift.models import Billed, Comparison, Uncompared
from tests.api import Api
from tests.buyers import Buyer, add_buyer
from tests.fidelity.shop import Shop
from tests.integration.price_drift.bills import compare, compared, uncompared
from tests.purchases import fold, observation
from tests.stripe_events import event, product

DAY = 24 * 3600
FIRST_TIER = {"up_to": 10, "unit_amount": 500, "flat_amount": 4900}
REST = {"up_to": "inf", "unit_amount_decimal": "12.5"}


@pytest.fixture
def buyer(shop: Shop, database: Any) -> Buyer:
    ada = add_buyer()
    customer = shop.client.v1.customers.create({"email": "ada@example.com"})
    database.execute("UPDATE customers SET stripe_customer_id = %s", customer.id)
    return ada


def metered_price(shop: Shop, mode: str) -> str:
    """Put a metered price on sale, whose first tier has a flat fee."""
    meter: Any = {"display_name": "Calls", "event_name": "calls", "default_aggregation": {"formula": "sum"}}
    recurring = {"interval": "month", "usage_type": "metered", "meter": shop.client.v1.billing.meters.create(meter).id}
    terms = {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": [FIRST_TIER, REST], "recurring": recurring}
    made = shop.price(**terms)
    full = shop.client.v1.prices.retrieve(made.id, {"expand": ["tiers"]}).to_dict()
    sold = product("prod_metered", metadata={"usage_based": "true"})
    fold(
        event("product.created", sold),
        observation(json.loads(json.dumps({**full, "product": "prod_metered"}, default=str))),
    )
    return made.id


def buy(call: Api, shop: Shop, buyer: Buyer, price_id: str) -> str:
    """Buy it as a browser would; return the first invoice."""
    body = {"domain_sid": buyer.domain_sid, "price_id": price_id}
    opened = call("checkout", "POST", "/v1/checkout-sessions", body=body, token=buyer.token)
    assert opened.status == 201, opened.text
    assert shop.browser.post(opened.json["url"], data={"card": "4242 4242 4242 4242"}).status_code == 303
    return told(shop, "checkout.session.completed", "customer.subscription.created", "invoice.paid")


def told(shop: Shop, *kinds: str) -> str:
    """Fold the newest event of each kind; return the newest invoice."""
    found = [shop.client.v1.events.list({"type": kind, "limit": 1}).data[0].to_dict() for kind in kinds]
    fold(*(json.dumps(each, default=str).encode() for each in found))
    return str(found[-1]["data"]["object"]["id"])


def renew(shop: Shop, database: Any, used: int) -> str:
    """Let the month pass, with this usage in it; return the invoice of its end."""
    (row,) = database.execute("SELECT stripe_customer_id FROM customers")
    payload = {"stripe_customer_id": row["stripe_customer_id"], "value": str(used)}
    shop.control("clock", advance_s=DAY)
    shop.client.v1.billing.meter_events.create({"event_name": "calls", "payload": payload})
    shop.control("clock", advance_s=32 * DAY)
    return told(shop, "invoice.paid")


@pytest.fixture(params=[("graduated", 4900 + 5000 + 38), ("volume", 163)], ids=["graduated", "volume"])
def sold(request: Any, call: Api, shop: Shop, buyer: Buyer) -> tuple[str, int]:
    """The first invoice of what was bought, and what thirteen units of it cost."""
    mode, cost = request.param
    return buy(call, shop, buyer, metered_price(shop, mode)), cost


def test_its_purchase_is_no_drift_and_its_renewal_is_compared(
    sold: tuple[str, int], shop: Shop, invoke: Any, database: Any
):
    first, cost = sold
    bought = compare(invoke, database, first)
    at_first = (compared(database), list(uncompared(database).values()))

    second = renew(shop, database, used=13)
    renewed = compare(invoke, database, second)

    assert (bought["state"], at_first) == ("COMPLETED", ([], ["NOT_USED_YET"]))
    assert (first != second, renewed["state"]) == (True, "COMPLETED")
    ((_, *found),) = compared(database)
    assert found == [1, 13, "ENGINE", cost, cost, 1]


def test_a_month_without_usage_still_pays_the_flat_fee(call: Api, shop: Shop, buyer: Buyer, invoke: Any, database: Any):
    buy(call, shop, buyer, metered_price(shop, "graduated"))

    compare(invoke, database, renew(shop, database, used=0))

    ((_, *found),) = compared(database)
    assert found == [1, 0, "ENGINE", 4900, 4900, 1]


def as_it_is(billed: Billed) -> Billed:
    return billed


def never_unused(billed: Billed) -> Billed:
    """The bug: what is announced for the period that begins is taken for what the period cost."""
    return replace(billed, unused=False)


@pytest.mark.parametrize(("reading", "is_left"), [(as_it_is, True), (never_unused, False)])
def test_taking_the_announcement_for_a_bill_would_be_a_drift(
    call: Api, shop: Shop, buyer: Buyer, reading: Any, *, is_left: bool
):
    first = buy(call, shop, buyer, metered_price(shop, "graduated"))

    def judge(tx: Any) -> Comparison | Uncompared:
        invoice = statements.get_invoice(tx, customer_sid=None, invoice_id=first)
        (billed,) = lines.billed(invoice, trial_end=None)
        price = catalog.find_price(tx, price_id=str(billed.price_id))
        return rules.judge(reading(billed), price, shown=None, now=clock.now())

    found = db.transact(judge)

    assert isinstance(found, Uncompared) is is_left
    assert isinstance(found, Uncompared) or (found.expected_minor, found.actual_minor) == (4900, 0)
