"""Stripe's objects and our mirror of them as flat fields, so that the two can be compared name by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keywright.billing import rules as billing
from keywright.catalog import rules as catalog_rules
from keywright.catalog import service as catalog
from keywright.catalog.models import Price
from keywright.platform.db import Transaction
from keywright.reconciliation import payment_mirror, repository
from keywright.reconciliation.models import Fields
from keywright.reconciliation.rules import flatten, flatten_all
from keywright.stripe_sync.normalize import normalize

Subject = Mapping[str, Any]

_PRODUCT = (
    "name", "description", "active", "product_family", "fee_structure", "usage_based", "air_gapped", "metadata",
    "created_at",
)  # fmt: skip
_PRICE = (
    "product_id", "active", "currency", "kind", "interval", "interval_count", "usage_type", "billing_scheme",
    "tiers_mode", "unit_amount", "transform", "created_at",
)  # fmt: skip
_OPTION = ("currency", "unit_amount")
_TIER = ("up_to", "unit_amount", "flat_amount")
_SUBSCRIPTION = (
    "stripe_customer_id", "status", "cancel_at_period_end", "cancel_at", "canceled_at", "ended_at", "trial_end",
    "pause_behavior", "pause_resumes_at", "default_payment_method_id", "latest_invoice_id", "created_at", "metadata",
)  # fmt: skip
_ITEM = ("price_id", "quantity", "current_period_start", "current_period_end")
_INVOICE = (
    "subscription_id", "invoice_number", "status", "currency", "amount_due", "amount_paid", "amount_remaining", "total",
    "attempted", "attempt_count", "billing_reason", "collection_method", "created_at", "due_at", "next_attempt_at",
    "finalized_at", "paid_at",
)  # fmt: skip
_LINE = (
    "price_id", "subscription_item_id", "description", "quantity", "amount", "currency", "proration", "period_start",
    "period_end",
)  # fmt: skip


# What reading an object of an unexpected shape raises.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


def theirs(object_type: str, subject: Subject) -> Fields | None:
    """Return Stripe's object as the mirror would have it; None if it cannot be read, which must not stop the others."""
    try:
        return _THEIRS[object_type](subject)
    except _UNREADABLE:
        return None


def ours(tx: Transaction, object_type: str, subjects: Sequence[Subject]) -> dict[str, Fields]:
    """Return what the mirror has of these objects, by their ids."""
    return _OURS[object_type](tx, subjects)


def product_id_of(price: Subject) -> str:
    """Return the product of a price, which Stripe gives plain or expanded."""
    product = price["product"]
    return product if isinstance(product, str) else str(product["id"])


def _product_fields(subject: Subject) -> Fields:
    return flatten(vars(catalog_rules.read_product(subject)), only=_PRODUCT)


def _price_fields(subject: Subject) -> Fields:
    return _fields_of_price(catalog_rules.read_price(subject))


def _fields_of_price(price: Price) -> Fields:
    tiers = [{"position": number, **vars(tier)} for number, tier in enumerate(price.tiers)]
    tier_fields = flatten_all("tiers", tiers, key="position", only=_TIER)
    option_fields = flatten_all("options", price.options, key="currency", only=_OPTION)
    return {**flatten(vars(price), only=_PRICE), **tier_fields, **option_fields}


def _subscription_fields(subject: Subject) -> Fields:
    subscription = billing.read_subscription(normalize(subject))
    items = flatten_all("items", subscription.items, key="item_id", only=_ITEM)
    return {**flatten(vars(subscription), only=_SUBSCRIPTION), **items}


def _invoice_fields(subject: Subject) -> Fields:
    invoice = billing.read_invoice(normalize(subject))
    lines = flatten_all("lines", invoice.lines, key="line_id", only=_LINE)
    return {**flatten(vars(invoice), only=_INVOICE), **lines}


def _our_products(tx: Transaction, subjects: Sequence[Subject]) -> dict[str, Fields]:
    found = (catalog.find_product(tx, product_id=subject["id"]) for subject in subjects)
    return {product.product_id: flatten(vars(product), only=_PRODUCT) for product in found if product is not None}


def _our_prices(tx: Transaction, subjects: Sequence[Subject]) -> dict[str, Fields]:
    found = (catalog.find_price(tx, price_id=subject["id"]) for subject in subjects)
    return {price.price_id: _fields_of_price(price) for price in found if price is not None}


def _our_subscriptions(tx: Transaction, subjects: Sequence[Subject]) -> dict[str, Fields]:
    ids = [subject["id"] for subject in subjects]
    rows = repository.list_subscriptions(tx, subscription_ids=ids) if ids else {}
    return {
        sid: {**flatten(row, only=_SUBSCRIPTION), **flatten_all("items", items, key="item_id", only=_ITEM)}
        for sid, (row, items) in rows.items()
    }


def _our_invoices(tx: Transaction, subjects: Sequence[Subject]) -> dict[str, Fields]:
    ids = [subject["id"] for subject in subjects]
    rows = repository.list_invoices(tx, invoice_ids=ids) if ids else {}
    return {
        sid: {**flatten(row, only=_INVOICE), **flatten_all("lines", lines, key="line_id", only=_LINE)}
        for sid, (row, lines) in rows.items()
    }


_THEIRS: dict[str, Callable[[Subject], Fields]] = {
    "product": _product_fields,
    "price": _price_fields,
    "subscription": _subscription_fields,
    "invoice": _invoice_fields,
    **payment_mirror.THEIRS,
}
_OURS: dict[str, Callable[[Transaction, Sequence[Subject]], dict[str, Fields]]] = {
    "product": _our_products,
    "price": _our_prices,
    "subscription": _our_subscriptions,
    "invoice": _our_invoices,
    **payment_mirror.OURS,
}
