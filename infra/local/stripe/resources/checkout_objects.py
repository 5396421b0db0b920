"""The shape of a new Checkout Session."""

from __future__ import annotations

import copy
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.listing import list_object
from infra.local.stripe.parameters import merged_metadata
from infra.local.stripe.store import Object, new_id

_FIXED: Object = {
    "adaptive_pricing": {"enabled": False},
    "after_expiration": None,
    "branding_settings": {
        "background_color": "#ffffff",
        "border_style": "rounded",
        "button_color": "#0f4c5c",
        "display_name": "Keywright test account",
        "font_family": "default",
        "icon": None,
        "logo": None,
    },
    "client_secret": None,
    "collected_information": None,
    "consent": None,
    "consent_collection": None,
    "currency_conversion": None,
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": None,
        "terms_of_service_acceptance": None,
    },
    "customer_account": None,
    "customer_details": None,
    "discounts": [],
    "integration_identifier": None,
    "invoice": None,
    "invoice_creation": None,
    "livemode": False,
    "managed_payments": None,
    "origin_context": None,
    "payment_intent": None,
    "payment_link": None,
    "payment_method_configuration_details": None,
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "permissions": None,
    "recovered_from": None,
    "saved_payment_method_options": None,
    "setup_intent": None,
    "shipping_address_collection": None,
    "shipping_cost": None,
    "shipping_options": [],
    "status": "open",
    "subscription": None,
    "ui_mode": "hosted_page",
    "wallet_options": None,
}


def build(account: Account, given: dict[str, Any], line_items: list[Object], expires_at: int) -> Object:
    """Build an open session; it is not kept yet."""
    identifier, subscribes = new_id("checkout.session"), given["mode"] == "subscription"
    taxed = given.get("automatic_tax", {}).get("enabled", False)
    creation = None if subscribes else given.get("customer_creation", "if_required")
    return {
        "id": identifier,
        "object": "checkout.session",
        **copy.deepcopy(_FIXED),
        **_amounts(line_items),
        "allow_promotion_codes": given.get("allow_promotion_codes"),
        "automatic_tax": {"enabled": taxed, "liability": None, "provider": None, "status": None},
        "billing_address_collection": given.get("billing_address_collection"),
        "cancel_url": given.get("cancel_url"),
        "client_reference_id": given.get("client_reference_id"),
        "created": account.clock.now(),
        "currency": line_items[0]["currency"],
        "customer": given.get("customer"),
        "customer_creation": None if given.get("customer") else creation,
        "customer_email": given.get("customer_email"),
        "expires_at": expires_at,
        "line_items": list_object(line_items, f"/v1/checkout/sessions/{identifier}/line_items"),
        "locale": given.get("locale"),
        "metadata": merged_metadata({}, given.get("metadata")),
        "mode": given["mode"],
        "payment_method_collection": given.get("payment_method_collection", "always") if subscribes else "if_required",
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": given.get("phone_number_collection", {}).get("enabled", False)},
        "submit_type": given.get("submit_type"),
        "success_url": given["success_url"],
        "tax_id_collection": {
            "enabled": given.get("tax_id_collection", {}).get("enabled", False),
            "required": "never",
        },
        "url": f"{account.public_url}/c/pay/{identifier}",
    }


def _amounts(line_items: list[Object]) -> Object:
    return {
        "amount_subtotal": sum(item["amount_subtotal"] for item in line_items),
        "amount_total": sum(item["amount_total"] for item in line_items),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    }
