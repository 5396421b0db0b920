"""The shape of a new subscription and its items."""

from __future__ import annotations

import copy
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.listing import list_object
from infra.local.stripe.parameters import merged_metadata
from infra.local.stripe.periods import period_end
from infra.local.stripe.store import Object, new_id

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
    "collection_method": "charge_automatically",
    "customer_account": None,
    "days_until_due": None,
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
    "trial_end": None,
    "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    "trial_start": None,
}


def build(
    account: Account,
    *,
    customer: Object,
    method: Object,
    recurring_items: list[Object],
    details: dict[str, Any],
) -> Object:
    """Build an active subscription to the recurring line items of a session; it is not kept yet."""
    now, identifier = account.clock.now(), new_id("subscription")
    items = [_item(identifier, item, now) for item in recurring_items]
    return {
        "id": identifier,
        "object": "subscription",
        **copy.deepcopy(_FIXED),
        "billing_cycle_anchor": now,
        "billing_mode": {
            "flexible": {"proration_discounts": "included"},
            "type": "flexible",
            "updated_at": now,
        },
        "created": now,
        "currency": recurring_items[0]["currency"],
        "customer": customer["id"],
        "default_payment_method": method["id"],
        "description": details.get("description"),
        "items": list_object(items, f"/v1/subscription_items?subscription={identifier}"),
        "metadata": merged_metadata({}, details.get("metadata")),
        "start_date": now,
        "status": "active",
    }


def _item(subscription_id: str, line_item: Object, now: int) -> Object:
    price = line_item["price"]
    recurring = price["recurring"]
    item: Object = {
        "id": new_id("subscription_item"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": now,
        "current_period_end": period_end(now, recurring["interval"], recurring["interval_count"]),
        "current_period_start": now,
        "discounts": [],
        "metadata": {},
        "price": price,
        "subscription": subscription_id,
        "tax_rates": [],
    }
    if recurring["usage_type"] == "licensed":
        item["quantity"] = line_item["quantity"]
    return item
