"""
Stripe's raw objects beside the raw rows of the mirror, field by field.

Written against Stripe's documentation and the schema alone: it shares no code with the fold or with reconciliation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.conftest import Database

Object = dict[str, Any]
Seen = dict[str, dict[str, Any]]


def when(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def of_stripe(objects: Iterable[Object]) -> Seen:
    """Return what the mirror should hold, by table and key."""
    rows: Seen = {}
    for stripe in objects:
        rows |= _READ[stripe["object"]](stripe)
    return rows


def of_mirror(database: Database) -> Seen:
    """Return what the mirror holds, by table and key."""
    rows: Seen = {}
    for table, key in _TABLES.items():
        for row in database.execute(f"SELECT * FROM {table}"):
            told = {**row, **({"metadata": json.loads(row["metadata"] or "{}")} if "metadata" in row else {})}
            rows[" ".join([table, *(str(row[name]) for name in key)])] = told
    return rows


def differences(expected: Seen, found: Seen) -> list[str]:
    """Return every field that differs, in words; what the mirror has besides Stripe's fields is not looked at."""
    told = []
    for key in sorted(expected.keys() | found.keys()):
        ours, theirs = found.get(key), expected.get(key)
        if ours is None or theirs is None:
            told.append(f"{key}: {'missing' if ours is None else 'not at Stripe'}")
            continue
        told += [f"{key}.{name}: {ours[name]!r} is {theirs[name]!r}" for name in theirs if ours[name] != theirs[name]]
    return told


def _product(stripe: Object) -> Seen:
    named = ("product_family", "fee_structure", "usage_based", "air_gapped")
    row = {
        "name": stripe["name"],
        "description": stripe["description"],
        "active": int(stripe["active"]),
        "metadata": stripe["metadata"],
        "created_at": when(stripe["created"]),
        **{name: stripe["metadata"].get(name) for name in named},
    }
    return {f"products {stripe['id']}": row}


def _price(stripe: Object) -> Seen:
    recurring, transform = stripe["recurring"] or {}, stripe["transform_quantity"] or {}
    row = {
        "product_id": stripe["product"],
        "active": int(stripe["active"]),
        "currency": stripe["currency"],
        "kind": stripe["type"],
        "recurring_interval": recurring.get("interval"),
        "interval_count": recurring.get("interval_count"),
        "usage_type": recurring.get("usage_type"),
        "billing_scheme": stripe["billing_scheme"],
        "tiers_mode": stripe["tiers_mode"],
        "unit_amount": _amount(stripe["unit_amount_decimal"]),
        "transform_divide_by": transform.get("divide_by"),
        "transform_round": transform.get("round"),
        "created_at": when(stripe["created"]),
    }
    rows = {f"prices {stripe['id']}": row, **_tiers(f"price_tiers {stripe['id']}", stripe)}
    for currency, option in stripe["currency_options"].items():
        if currency != stripe["currency"]:
            own = f"{stripe['id']} {currency}"
            rows[f"price_options {own}"] = {"unit_amount": _amount(option["unit_amount_decimal"])}
            rows |= _tiers(f"price_option_tiers {own}", option)
    return rows


def _tiers(key: str, stripe: Object) -> Seen:
    return {
        f"{key} {position}": {
            "up_to": tier["up_to"],
            "unit_amount": _amount(tier["unit_amount_decimal"]),
            "flat_amount": _amount(tier["flat_amount_decimal"]),
        }
        for position, tier in enumerate(stripe.get("tiers") or ())
    }


def _amount(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _subscription(stripe: Object) -> Seen:
    pause = stripe["pause_collection"] or {}
    row = {
        "status": stripe["status"],
        "stripe_customer_id": stripe["customer"],
        "cancel_at_period_end": int(stripe["cancel_at_period_end"]),
        "cancel_at": when(stripe["cancel_at"]),
        "canceled_at": when(stripe["canceled_at"]),
        "ended_at": when(stripe["ended_at"]),
        "trial_end": when(stripe["trial_end"]),
        "pause_behavior": pause.get("behavior"),
        "pause_resumes_at": when(pause.get("resumes_at")),
        "default_payment_method_id": stripe["default_payment_method"],
        "latest_invoice_id": stripe["latest_invoice"],
        "metadata": stripe["metadata"],
        "created_at": when(stripe["created"]),
    }
    return {f"subscriptions {stripe['id']}": row} | {
        f"subscription_items {item['id']}": {
            "subscription_id": stripe["id"],
            "price_id": item["price"]["id"],
            "quantity": item["quantity"],
            "current_period_start": when(item["current_period_start"]),
            "current_period_end": when(item["current_period_end"]),
        }
        for item in stripe["items"]["data"]
    }


def _invoice(stripe: Object) -> Seen:
    changes = stripe["status_transitions"]
    row = {
        "subscription_id": ((stripe["parent"] or {}).get("subscription_details") or {}).get("subscription"),
        "invoice_number": stripe["number"],
        **{name: stripe[name] for name in _INVOICE},
        "attempted": int(stripe["attempted"]),
        "created_at": when(stripe["created"]),
        "due_at": when(stripe["due_date"]),
        "next_attempt_at": when(stripe["next_payment_attempt"]),
        "finalized_at": when(changes["finalized_at"]),
        "paid_at": when(changes["paid_at"]),
    }
    lines = (_line(stripe["id"], line) for line in stripe["lines"]["data"])
    return {f"invoices {stripe['id']}": row, **{key: line for found in lines for key, line in found.items()}}


_INVOICE = (
    "status", "currency", "amount_due", "amount_paid", "amount_remaining", "total", "attempt_count", "billing_reason",
    "collection_method",
)  # fmt: skip


def _line(invoice_id: str, line: Object) -> Seen:
    parent = line["parent"] or {}
    origin = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return {
        f"invoice_lines {invoice_id} {line['id']}": {
            "price_id": ((line["pricing"] or {}).get("price_details") or {}).get("price"),
            "subscription_item_id": origin.get("subscription_item"),
            "description": line["description"],
            "quantity": line["quantity"],
            "amount": line["amount"],
            "currency": line["currency"],
            "proration": int(origin["proration"]),
            "period_start": when(line["period"]["start"]),
            "period_end": when(line["period"]["end"]),
        }
    }


def _invoice_payment(stripe: Object) -> Seen:
    if stripe["status"] != "paid":
        # Stripe has no event for a payment that is open or was given up: only money that came is linked.
        return {}
    key = {"invoice_id": stripe["invoice"], "payment_id": stripe["payment"]["payment_intent"]}
    return {f"invoice_payments {' '.join(key.values())}": key}


def _card(card: Object | None) -> Object:
    names = {"card_brand": "brand", "card_last4": "last4", "card_exp_month": "exp_month", "card_exp_year": "exp_year"}
    return {ours: (card or {}).get(theirs) for ours, theirs in names.items()}


def _charge(stripe: Object) -> Seen:
    same = ("payment_intent", "status", "amount", "amount_captured", "amount_refunded", "currency", "failure_code")
    row = {"payment_intent_id" if name == "payment_intent" else name: stripe[name] for name in same}
    card = _card((stripe["payment_method_details"] or {}).get("card"))
    placed = {"stripe_customer_id": stripe["customer"], "created_at": when(stripe["created"])}
    return {f"charges {stripe['id']}": {**row, **card, **placed}}


def _payment_intent(stripe: Object) -> Seen:
    return {
        f"payment_intents {stripe['id']}": {
            "stripe_customer_id": stripe["customer"],
            "latest_charge_id": stripe["latest_charge"],
            "status": stripe["status"],
            "amount": stripe["amount"],
            "amount_received": stripe["amount_received"],
            "currency": stripe["currency"],
            "created_at": when(stripe["created"]),
        }
    }


def _payment_method(stripe: Object) -> Seen:
    row = {
        "stripe_customer_id": stripe["customer"],
        "method_type": stripe["type"],
        **_card(stripe["card"]),
        "created_at": when(stripe["created"]),
    }
    return {f"payment_methods {stripe['id']}": row}


def _setback(table: str) -> Any:
    def read(stripe: Object) -> Seen:
        row = {
            "charge_id": stripe["charge"],
            "payment_intent_id": stripe["payment_intent"],
            **{name: stripe[name] for name in ("status", "amount", "currency", "reason")},
            "created_at": when(stripe["created"]),
        }
        return {f"{table} {stripe['id']}": row}

    return read


def _checkout_session(stripe: Object) -> Seen:
    return {
        f"checkout_sessions {stripe['id']}": {
            "state": stripe["status"].upper(),
            "payment_status": stripe["payment_status"],
            "subscription_id": stripe["subscription"],
            "payment_intent_id": stripe["payment_intent"],
        }
    }


_READ = {
    "product": _product,
    "price": _price,
    "subscription": _subscription,
    "invoice": _invoice,
    "invoice_payment": _invoice_payment,
    "charge": _charge,
    "payment_intent": _payment_intent,
    "payment_method": _payment_method,
    "refund": _setback("refunds"),
    "dispute": _setback("disputes"),
    "checkout.session": _checkout_session,
}
_TABLES = {
    "products": ("product_id",),
    "prices": ("price_id",),
    "price_tiers": ("price_id", "position"),
    "price_options": ("price_id", "currency"),
    "price_option_tiers": ("price_id", "currency", "position"),
    "subscriptions": ("subscription_id",),
    "subscription_items": ("item_id",),
    "invoices": ("invoice_id",),
    "invoice_lines": ("invoice_id", "line_id"),
    "invoice_payments": ("invoice_id", "payment_id"),
    "charges": ("charge_id",),
    "payment_intents": ("payment_intent_id",),
    "payment_methods": ("payment_method_id",),
    "refunds": ("refund_id",),
    "disputes": ("dispute_id",),
    "checkout_sessions": ("stripe_session_id",),
}
