"""A shop whose buyer is known at Stripe: buying, paying on Stripe's page, and telling what Stripe tells of it."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

import httpx
from stripe import StripeClient

from keywright.platform import clock
from tests.api import Answer, Api
from tests.buyers import Buyer, add_buyer
from tests.purchases import AIR_GAPPED, fold
from tests.queue_hints import drop
from tests.stripe_events import event, one_time_price, price, product

PATH = "/v1/checkout-sessions"
PAYS = "4242 4242 4242 4242"


Shop = tuple[StripeClient, Buyer, str]
"""Stripe, somebody who buys, and a monthly price."""


def open_shop(stripe_account: StripeClient, database: Any) -> Shop:
    """Return a buyer whose customer is at Stripe, and a monthly price that is on sale."""
    drop("JOBS")
    drop("EVENTS")
    ada = add_buyer()
    at_stripe = stripe_account.v1.customers.create({"email": "ada@example.com"})
    database.execute("UPDATE customers SET stripe_customer_id = %s", at_stripe.id)
    return stripe_account, ada, monthly(stripe_account)


def monthly(stripe: StripeClient, product_id: str = "prod_unlimited", **metadata: str) -> str:
    """Make a price at Stripe, and put it on sale here."""
    options: Any = {"eur": {"unit_amount": 4500}}
    made = stripe.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 4900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Harbor"},
            "currency_options": options,
        }
    )
    full = {"usd": {"unit_amount": 4900}, "eur": {"unit_amount": 4500}}
    fold(
        event("product.created", product(product_id, metadata={"usage_based": "true", **metadata})),
        event("price.created", price(made.id, product_id=product_id, currency_options=full)),
    )
    return str(made.id)


def once(stripe: StripeClient) -> str:
    """Make a price for an air-gapped license that is paid once, and put it on sale."""
    made = stripe.v1.prices.create({"currency": "usd", "unit_amount": 4900, "product_data": {"name": "Anchor"}})
    fold(
        event("product.created", product("prod_air", metadata=AIR_GAPPED)),
        event("price.created", one_time_price(made.id, currency_options={"usd": {"unit_amount": 4900}})),
    )
    return str(made.id)


def buy(call: Api, buyer: Buyer, price_id: str, **more: Any) -> Answer:
    body = {"domain_sid": buyer.domain_sid, "price_id": price_id, **more}
    return call("checkout", "POST", PATH, body=body, token=buyer.token)


def see(call: Api, buyer: Buyer, sid: str) -> Any:
    return call("checkout", "GET", f"{PATH}/{sid}", token=buyer.token).json


def sessions_of(stripe: StripeClient, database: Any) -> list[Any]:
    (row,) = database.execute("SELECT stripe_customer_id FROM customers LIMIT 1")
    return stripe.v1.checkout.sessions.list({"customer": row["stripe_customer_id"], "limit": 100}).data


def pay(stripe: StripeClient, database: Any) -> None:
    """Pay on Stripe's page, and let what Stripe tells of it be folded."""
    session = next(session for session in sessions_of(stripe, database) if session.status == "open")
    assert httpx.post(str(session.url), data={"card": PAYS}, timeout=60).status_code == 303


def tell(stripe: StripeClient, *kinds: str) -> None:
    """Deliver the newest event of each of these kinds, in this order, as the webhook would."""
    bodies = [
        json.dumps(found.to_dict(), default=str).encode()
        for kind in kinds
        for found in reversed(stripe.v1.events.list({"type": kind, "limit": 1}).data)
    ]
    assert len(bodies) == len(kinds)
    fold(*bodies)


def age(database: Any, **ago: int) -> None:
    moment = clock.now() - timedelta(**ago)
    database.execute("UPDATE checkout_sessions SET attempted_at = %s, created_at = %s", moment, moment)


def control(path: str, **body: Any) -> Any:
    """Ask the stand-in for what the real Stripe does by itself."""
    url = os.environ["KEYWRIGHT_STRIPE_API_URL"]
    return httpx.post(f"{url}/_control/{path}", json=body, timeout=60).raise_for_status().json()
