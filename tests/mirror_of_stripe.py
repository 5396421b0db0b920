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


_READ = {"product": _product, "price": _price, "subscription": _subscription, "invoice": _invoice}
_TABLES = {
    "products": "product_id",
    "prices": "price_id",
    "subscriptions": "subscription_id",
    "subscription_items": "item_id",
    "invoices": "invoice_id",
    "invoice_lines": "line_id",
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
}
