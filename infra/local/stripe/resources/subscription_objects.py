"""The shape of a new subscription and its items."""

from __future__ import annotations

import copy
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.listing import list_object
from infra.local.stripe.parameters import merged_metadata
from infra.local.stripe.periods import period_around
from infra.local.stripe.store import Object, new_id

_DAY_S = 86_400
_FIXED: Object = {
    "application": None,
    "application_fee_percent": None,
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_cycle_anchor_config": None,
    "billing_schedules": [],
    "billing_thresholds": None,
    "cancel_at": None,
    "cancel_at_period_end": False,
    "canceled_at": None,
    "cancellation_details": {"comment": None, "feedback": None, "reason": None},
    "customer_account": None,
    "default_source": None,
    "default_tax_rates": [],
    "discounts": [],
    "ended_at": None,
    "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
    "latest_invoice": None,
    "livemode": False,
    "next_pending_invoice_item_invoice": None,
    "on_behalf_of": None,
    "pause_collection": None,
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
    "pending_invoice_item_interval": None,
    "pending_setup_intent": None,
    "pending_update": None,
    "schedule": None,
    "test_clock": None,
    "transfer_data": None,
}


def build(
    account: Account,
    *,
    customer: Object,
    items: list[Object],
    currency: str,
    details: dict[str, Any],
) -> Object:
    """Build a subscription whose first period begins now; it is not kept yet, and its status is the caller's to set."""
    now, identifier = account.clock.now(), new_id("subscription")
    trial_end = _trial_end(now, details)
    anchor = details.get("billing_cycle_anchor") or trial_end or now
    subscription: Object = {
        "id": identifier,
        "object": "subscription",
        **copy.deepcopy(_FIXED),
        "billing_cycle_anchor": anchor,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": now},
        "collection_method": details.get("collection_method", "charge_automatically"),
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "days_until_due": details.get("days_until_due"),
        "default_payment_method": details.get("default_payment_method"),
        "description": details.get("description"),
        "items": list_object([], f"/v1/subscription_items?subscription={identifier}"),
        "metadata": merged_metadata({}, details.get("metadata")),
        "start_date": now,
        "status": "active" if trial_end is None else "trialing",
        "trial_end": trial_end,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None if trial_end is None else now,
    }
    subscription["trial_settings"].update(details.get("trial_settings", {}))
    subscription["payment_settings"].update(details.get("payment_settings", {}))
    for item in items:
        add_item(account, subscription, item)
    return subscription


def _trial_end(now: int, details: dict[str, Any]) -> int | None:
    days, end = details.get("trial_period_days"), details.get("trial_end")
    if end == "now" or (not days and end is None):
        return None
    return int(end) if end is not None else now + int(days or 0) * _DAY_S


def add_item(account: Account, subscription: Object, given: Object) -> Object:
    """Add an item for ``given``'s price and quantity, in the period that the anchor or the trial sets."""
    now, price, trial_end = account.clock.now(), given["price"], subscription["trial_end"]
    terms = price["recurring"]
    _, end = period_around(subscription["billing_cycle_anchor"], terms["interval"], terms["interval_count"], now)
    item: Object = {
        "id": new_id("subscription_item"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": now,
        "current_period_end": trial_end if trial_end is not None and trial_end > now else end,
        "current_period_start": now,
        "discounts": [],
        "metadata": merged_metadata({}, given.get("metadata")),
        "price": price,
        "subscription": subscription["id"],
        "tax_rates": [],
    }
    if terms["usage_type"] == "licensed":
        item["quantity"] = 1 if given.get("quantity") is None else given["quantity"]
    subscription["items"]["data"].append(item)
    return item
