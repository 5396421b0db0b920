"""Payment methods: the cards that the hosted page took."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.cards import Card
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id

_NO_ADDRESS: dict[str, None] = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def billing_details(email: str | None, name: str | None = None) -> Object:
    """Return the billing details of a person who gave no address."""
    return {"address": dict(_NO_ADDRESS), "email": email, "name": name, "phone": None, "tax_id": None}


def add(account: Account, card: Card, customer: Object | None, email: str | None) -> Object:
    """Create the payment method of a card, attached if there is a customer to attach it to."""
    method: Object = {
        "id": new_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing_details(email),
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": card.brand,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "fingerprint": card.fingerprint,
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": account.clock.now(),
        "customer": None if customer is None else customer["id"],
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    if customer is None:
        return account.store.add(method)
    return account.create(method, "payment_method.attached")


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/payment_methods/{payment_method}``."""
    return account.store.get("payment_method", call.names["payment_method"])


ROUTES = (Route("GET", "/v1/payment_methods/{payment_method}", retrieve),)
