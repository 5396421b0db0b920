"""
Events as API versions before 2025-03-31 shaped them, for endpoints that are pinned to one. Pure.

Subscriptions and invoices are the objects that changed most: periods were on the subscription and not on its items,
and an invoice named its subscription, payment and charge itself instead of having a parent and payments.
"""

from __future__ import annotations

import copy
from typing import Any

from infra.local.stripe.store import Object, Store
from infra.local.stripe.version import is_older

_PERIOD = ("current_period_end", "current_period_start")


def event_for(store: Store, endpoint: Object, event: Object) -> Object:
    """Return the event as this endpoint gets it: in its version, or in the account's at the event's time."""
    if event["object"] == "v2.core.event":
        return {key: value for key, value in event.items() if key != "data"}
    return in_version(store, event, endpoint["api_version"] or event["api_version"])


def in_version(store: Store, event: Object, version: str) -> Object:
    """Return the event in a version's shape."""
    if not is_older(version):
        return {**event, "api_version": version}
    data = {**event["data"], "object": _older(store, event["data"]["object"])}
    if "previous_attributes" in data and data["object"]["object"] == "subscription":
        data["previous_attributes"] = _older_changes(data["previous_attributes"])
    return {**event, "api_version": version, "data": data}


def _older(store: Store, value: Object) -> Object:
    older = copy.deepcopy(value)
    if value["object"] == "subscription":
        return _older_subscription(older)
    if value["object"] == "invoice":
        return _older_invoice(store, older)
    return older


def _older_subscription(subscription: Object) -> Object:
    items = subscription["items"]["data"]
    ends, starts = ([item.pop(name) for item in items] for name in _PERIOD)
    subscription["current_period_end"], subscription["current_period_start"] = min(ends), max(starts)
    subscription["discount"] = None
    subscription["quantity"] = items[0].get("quantity") if len(items) == 1 else None
    for name in ("billing_mode", "billing_schedules", "customer_account"):
        subscription.pop(name, None)
    return subscription


def _older_changes(previous: dict[str, Any]) -> dict[str, Any]:
    """Move the periods that an update replaced to where the older subscription had them."""
    older = copy.deepcopy(previous)
    items = older.get("items", {}).get("data", [])
    for name in _PERIOD:
        replaced = [item.pop(name) for item in items if name in item]
        if replaced:
            older[name] = min(replaced)
    return older


def _older_invoice(store: Store, invoice: Object) -> Object:
    details = (invoice.pop("parent", None) or {}).get("subscription_details") or {}
    intent = _paying_intent(store, invoice["id"])
    invoice.update(
        {
            "charge": intent["latest_charge"] if intent else None,
            "discount": None,
            "paid": invoice["status"] == "paid",
            "paid_out_of_band": False,
            "payment_intent": intent["id"] if intent else None,
            "quote": None,
            "subscription": details.get("subscription"),
            "subscription_details": {"metadata": details.get("metadata")},
            "tax": None,
            "total_tax_amounts": [],
            "transfer_data": None,
        }
    )
    for name in ("total_taxes", "customer_account", "amount_overpaid"):
        invoice.pop(name, None)
    for line in invoice["lines"]["data"]:
        _age_line(store, line)
    return invoice


def _paying_intent(store: Store, invoice_id: str) -> Object | None:
    """Return the latest intent for an invoice, whether it was paid or not."""
    payments = [payment for payment in store.newest_first("invoice_payment") if payment["invoice"] == invoice_id]
    return store.find(payments[0]["payment"]["payment_intent"]) if payments else None


def _age_line(store: Store, line: Object) -> None:
    parent = line.pop("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    pricing = line.pop("pricing") or {}
    price = (pricing.get("price_details") or {}).get("price")
    line.update(
        {
            "invoice_item": details.get("invoice_item"),
            "plan": None,
            "price": copy.deepcopy(store.find(price)) if isinstance(price, str) else price,
            "proration": details.get("proration", False),
            "proration_details": details.get("proration_details"),
            "subscription_item": details.get("subscription_item"),
            "tax_amounts": [],
            "tax_rates": [],
            "type": "subscription" if parent.get("subscription_item_details") else "invoiceitem",
            "unit_amount_excluding_tax": pricing.get("unit_amount_decimal"),
        }
    )
    line.pop("taxes", None)
    if line["price"]:
        line["price"].pop("tiers", None)
        line["price"].pop("currency_options", None)
