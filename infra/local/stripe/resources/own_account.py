"""The account that an API key belongs to, as far as one asks whose it is."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object


def retrieve(account: Account, _call: Call) -> Object:
    """Answer ``GET /v1/account``."""
    return {
        "id": account.account_id,
        "object": "account",
        "charges_enabled": True,
        "country": "DE",
        "default_currency": "usd",
        "details_submitted": True,
        "payouts_enabled": True,
        "type": "standard",
    }


ROUTES = (Route("GET", "/v1/account", retrieve),)
