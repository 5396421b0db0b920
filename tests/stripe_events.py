"""Builds what Stripe would send in API version 2026-05-27.dahlia, as far as anybody here reads it, and signs it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

API_VERSION = "2026-05-27.dahlia"
FAMILY = "self_hosted"

BEGINNING = 1_790_000_000
"""The second in which most stories here begin (September 2026)."""

MONTH = 30 * 24 * 3600

Object = dict[str, Any]


def event(kind: str, subject: Object, *, at: int = BEGINNING, previous: Object | None = None, sid: str = "") -> bytes:
    """Return the bytes of an event about an object; the same arguments give the same event."""
    data: Object = {"object": subject} if previous is None else {"object": subject, "previous_attributes": previous}
    made = hashlib.sha256(json.dumps([kind, data, at], sort_keys=True).encode()).hexdigest()[:24]
    envelope = {
        "id": sid or f"evt_{made}",
        "object": "event",
        "api_version": API_VERSION,
        "created": at,
        "type": kind,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": data,
    }
    return json.dumps(envelope, indent=2).encode()


def event_id(body: bytes) -> str:
    return str(json.loads(body)["id"])


def signature(body: bytes, *, secret: str, at: int, scheme: str = "v1") -> str:
    """Return a ``Stripe-Signature`` header of our own making."""
    return f"t={at},{scheme}={digest(body, secret=secret, at=at)}"


def digest(body: bytes, *, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), b"%d.%s" % (at, body), hashlib.sha256).hexdigest()


def product(product_id: str = "prod_unlimited", **details: Any) -> Object:
    """Return a recurring, unlimited product of the family, or what ``metadata`` makes of it."""
    metadata = {
        "product_family": FAMILY,
        "fee_structure": "recurring",
        "usage_based": "false",
        "air_gapped": "false",
        "entitlement_sso": "true",
        "limit_seats": "25",
        **details.pop("metadata", {}),
    }
    return {
        "id": product_id,
        "object": "product",
        "name": "Harbor",
        "description": "Runs at your site.",
        "active": True,
        "created": BEGINNING - 1000,
        "livemode": False,
        "metadata": metadata,
        **details,
    }


def price(price_id: str = "price_monthly", *, product_id: str = "prod_unlimited", **details: Any) -> Object:
    """Return a licensed monthly price of 49.00 USD."""
    return {
        "id": price_id,
        "object": "price",
        "product": product_id,
        "active": True,
        "currency": "usd",
        "type": "recurring",
        "billing_scheme": "per_unit",
        "unit_amount": 4900,
        "unit_amount_decimal": "4900",
        "tiers_mode": None,
        "transform_quantity": None,
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed", "meter": None},
        "created": BEGINNING - 900,
        "livemode": False,
        "metadata": {},
        **details,
    }


def tiered_price(price_id: str = "price_tiered", *, with_tiers: bool = True, **details: Any) -> Object:
    """Return a graduated price as the API gives it, or as events do: without its tiers."""
    first = {"up_to": 10, "unit_amount": 500, "flat_amount": 1000}
    last = {"up_to": None, "unit_amount": None, "flat_amount": None, "unit_amount_decimal": "12.5"}
    tiers = [
        {**first, "unit_amount_decimal": "500", "flat_amount_decimal": "1000"},
        {**last, "flat_amount_decimal": None},
    ]
    shape = {"billing_scheme": "tiered", "tiers_mode": "graduated", "unit_amount": None, "unit_amount_decimal": None}
    return price(price_id, **{**shape, **({"tiers": tiers} if with_tiers else {}), **details})


def one_time_price(price_id: str = "price_once", *, product_id: str = "prod_air", **details: Any) -> Object:
    return price(price_id, product_id=product_id, type="one_time", recurring=None, **details)


def subscription(
    metadata: dict[str, str], *, customer: str, status: str = "active", price_id: str = "price_monthly", **details: Any
) -> Object:
    """Return a subscription with one item; since API 2025-03-31 the item carries the running period."""
    period = details.pop("period", 0)
    item = {
        "id": "si_1",
        "object": "subscription_item",
        "price": {"id": price_id, "object": "price"},
        "quantity": 1,
        "current_period_start": BEGINNING + period * MONTH,
        "current_period_end": BEGINNING + (period + 1) * MONTH,
    }
    return {
        "id": "sub_1",
        "object": "subscription",
        "customer": customer,
        "status": status,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "latest_invoice": "in_1",
        "created": BEGINNING,
        "livemode": False,
        "items": {"object": "list", "data": [item], "has_more": False},
        "metadata": metadata,
        **details,
    }


def invoice(metadata: dict[str, str], *, customer: str, status: str = "paid", **details: Any) -> Object:
    """Return an invoice of the subscription, which it names under ``parent``."""
    return {
        "id": "in_1",
        "object": "invoice",
        "customer": customer,
        "number": "KW-0001",
        "status": status,
        "currency": "usd",
        "amount_due": 4900,
        "amount_paid": 4900 if status == "paid" else 0,
        "total": 4900,
        "attempt_count": 1,
        "created": BEGINNING,
        "livemode": False,
        "metadata": {},
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"subscription": "sub_1", "metadata": metadata},
        },
        "status_transitions": {"paid_at": BEGINNING + 2 if status == "paid" else None},
        **details,
    }


def checkout_session(metadata: dict[str, str], *, customer: str, mode: str = "subscription", **details: Any) -> Object:
    """Return a Checkout Session that was completed and paid."""
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "client_reference_id": metadata.get("checkout_session_sid"),
        "customer": customer,
        "mode": mode,
        "status": "complete",
        "payment_status": "paid",
        "subscription": "sub_1" if mode == "subscription" else None,
        "created": BEGINNING - 60,
        "expires_at": BEGINNING + 86_340,
        "livemode": False,
        "metadata": metadata,
        **details,
    }
