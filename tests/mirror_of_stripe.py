"""
Stripe's raw objects beside the raw rows of the mirror, field by field.

Written against Stripe's documentation and the schema alone: it shares no code with the fold or with reconciliation.
"""

from __future__ import annotations

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
            rows[f"{table} {row[key]}"] = {name: row[name] for name in _COLUMNS[table]}
    return rows


def differences(expected: Seen, found: Seen) -> list[str]:
    """Return every field that differs, in words."""
    told = []
    for key in sorted(expected.keys() | found.keys()):
        ours, theirs = found.get(key), expected.get(key)
        if ours is None or theirs is None:
            told.append(f"{key}: {'missing' if ours is None else 'not at Stripe'}")
            continue
        told += [f"{key}.{name}: {ours[name]!r} is {theirs[name]!r}" for name in theirs if ours[name] != theirs[name]]
    return told


def _product(stripe: Object) -> Seen:
    return {
        f"products {stripe['id']}": {
            "name": stripe["name"],
            "active": int(stripe["active"]),
            "product_family": stripe["metadata"].get("product_family"),
            "fee_structure": stripe["metadata"].get("fee_structure"),
        }
    }


def _price(stripe: Object) -> Seen:
    return {
        f"prices {stripe['id']}": {
            "product_id": stripe["product"],
            "active": int(stripe["active"]),
            "currency": stripe["currency"],
            "unit_amount": Decimal(stripe["unit_amount_decimal"]),
        }
    }


def _subscription(stripe: Object) -> Seen:
    row = {
        "status": stripe["status"],
        "stripe_customer_id": stripe["customer"],
        "cancel_at_period_end": int(stripe["cancel_at_period_end"]),
        "canceled_at": when(stripe["canceled_at"]),
        "ended_at": when(stripe["ended_at"]),
        "trial_end": when(stripe["trial_end"]),
        "pause_behavior": (stripe["pause_collection"] or {}).get("behavior"),
        "default_payment_method_id": stripe["default_payment_method"],
        "latest_invoice_id": stripe["latest_invoice"],
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
    row = {
        "subscription_id": ((stripe["parent"] or {}).get("subscription_details") or {}).get("subscription"),
        "invoice_number": stripe["number"],
        "status": stripe["status"],
        "currency": stripe["currency"],
        "amount_due": stripe["amount_due"],
        "amount_paid": stripe["amount_paid"],
        "amount_remaining": stripe["amount_remaining"],
        "total": stripe["total"],
        "attempted": int(stripe["attempted"]),
        "attempt_count": stripe["attempt_count"],
        "created_at": when(stripe["created"]),
        "due_at": when(stripe["due_date"]),
        "next_attempt_at": when(stripe["next_payment_attempt"]),
        "finalized_at": when(stripe["status_transitions"]["finalized_at"]),
        "paid_at": when(stripe["status_transitions"]["paid_at"]),
    }
    return {f"invoices {stripe['id']}": row} | {
        f"invoice_lines {line['id']}": {
            "invoice_id": stripe["id"],
            "amount": line["amount"],
            "quantity": line["quantity"],
            "period_start": when(line["period"]["start"]),
            "period_end": when(line["period"]["end"]),
        }
        for line in stripe["lines"]["data"]
    }


def _charge(stripe: Object) -> Seen:
    card = (stripe["payment_method_details"] or {}).get("card") or {}
    return {
        f"charges {stripe['id']}": {
            "stripe_customer_id": stripe["customer"],
            "payment_intent_id": stripe["payment_intent"],
            "status": stripe["status"],
            "amount": stripe["amount"],
            "amount_captured": stripe["amount_captured"],
            "amount_refunded": stripe["amount_refunded"],
            "currency": stripe["currency"],
            "failure_code": stripe["failure_code"],
            "card_brand": card.get("brand"),
            "card_last4": card.get("last4"),
            "card_exp_month": card.get("exp_month"),
            "card_exp_year": card.get("exp_year"),
            "created_at": when(stripe["created"]),
        }
    }


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
    "charge": _charge,
    "payment_intent": _payment_intent,
    "checkout.session": _checkout_session,
}
_TABLES = {
    "products": "product_id",
    "prices": "price_id",
    "subscriptions": "subscription_id",
    "subscription_items": "item_id",
    "invoices": "invoice_id",
    "invoice_lines": "line_id",
    "charges": "charge_id",
    "payment_intents": "payment_intent_id",
    "checkout_sessions": "stripe_session_id",
}
_COLUMNS: dict[str, tuple[str, ...]] = {
    "products": ("name", "active", "product_family", "fee_structure"),
    "prices": ("product_id", "active", "currency", "unit_amount"),
    "subscriptions": (
        "status",
        "stripe_customer_id",
        "cancel_at_period_end",
        "canceled_at",
        "ended_at",
        "trial_end",
        "pause_behavior",
        "default_payment_method_id",
        "latest_invoice_id",
        "created_at",
    ),
    "subscription_items": ("subscription_id", "price_id", "quantity", "current_period_start", "current_period_end"),
    "invoices": (
        "subscription_id",
        "invoice_number",
        "status",
        "currency",
        "amount_due",
        "amount_paid",
        "amount_remaining",
        "total",
        "attempted",
        "attempt_count",
        "created_at",
        "due_at",
        "next_attempt_at",
        "finalized_at",
        "paid_at",
    ),
    "invoice_lines": ("invoice_id", "amount", "quantity", "period_start", "period_end"),
    "charges": (
        "stripe_customer_id",
        "payment_intent_id",
        "status",
        "amount",
        "amount_captured",
        "amount_refunded",
        "currency",
        "failure_code",
        "card_brand",
        "card_last4",
        "card_exp_month",
        "card_exp_year",
        "created_at",
    ),
    "payment_intents": (
        "stripe_customer_id",
        "latest_charge_id",
        "status",
        "amount",
        "amount_received",
        "currency",
        "created_at",
    ),
    "checkout_sessions": ("state", "payment_status", "subscription_id", "payment_intent_id"),
}
