"""The shape of a subscription's first invoice and its lines: one line, rounded once, for each price."""

from __future__ import annotations

import copy

from infra.local.stripe.account import Account
from infra.local.stripe.listing import list_object
from infra.local.stripe.store import Object, new_id

_FIXED: Object = {
    "account_country": "US",
    "account_name": "Keywright test account",
    "account_tax_ids": None,
    "amount_overpaid": 0,
    "amount_shipping": 0,
    "application": None,
    "automatic_tax": {
        "disabled_reason": None,
        "enabled": False,
        "liability": None,
        "provider": None,
        "status": None,
    },
    "automatically_finalizes_at": None,
    "collection_method": "charge_automatically",
    "custom_fields": None,
    "customer_account": None,
    "customer_shipping": None,
    "customer_tax_ids": [],
    "default_payment_method": None,
    "default_source": None,
    "default_tax_rates": [],
    "description": None,
    "discounts": [],
    "due_date": None,
    "footer": None,
    "from_invoice": None,
    "hosted_invoice_url": None,
    "invoice_pdf": None,
    "issuer": {"type": "self"},
    "last_finalization_error": None,
    "latest_revision": None,
    "livemode": False,
    "metadata": {},
    "next_payment_attempt": None,
    "number": None,
    "on_behalf_of": None,
    "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
    "post_payment_credit_notes_amount": 0,
    "pre_payment_credit_notes_amount": 0,
    "receipt_number": None,
    "rendering": None,
    "shipping_cost": None,
    "shipping_details": None,
    "starting_balance": 0,
    "statement_descriptor": None,
    "test_clock": None,
    "total_discount_amounts": [],
    "total_pretax_credit_amounts": [],
    "total_taxes": [],
}


def build_first(account: Account, subscription: Object, customer: Object, line_items: list[Object]) -> Object:
    """Build the draft of the invoice for a new subscription's first period; it is not kept yet."""
    now, identifier = account.clock.now(), new_id("invoice")
    lines = [_line(identifier, subscription, line_item) for line_item in line_items]
    total = sum(line["amount"] for line in lines)
    return {
        "id": identifier,
        "object": "invoice",
        **copy.deepcopy(_FIXED),
        **_amounts(total),
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "billing_reason": "subscription_create",
        "created": now,
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_tax_exempt": customer["tax_exempt"],
        "effective_at": None,
        "ending_balance": None,
        "lines": list_object(lines, f"/v1/invoices/{identifier}/lines"),
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        },
        "payments": list_object([], f"/v1/invoice_payments?invoice={identifier}"),
        "period_end": now,
        "period_start": now,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "webhooks_delivered_at": None,
    }


def _amounts(total: int) -> Object:
    return {
        "amount_due": total,
        "amount_paid": 0,
        "amount_remaining": total,
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
    }


def _line(invoice_id: str, subscription: Object, line_item: Object) -> Object:
    price, start = line_item["price"], subscription["start_date"]
    item = next((item for item in subscription["items"]["data"] if item["price"]["id"] == price["id"]), None)
    return {
        "id": new_id("line_item"),
        "object": "line_item",
        "amount": line_item["amount_total"],
        "currency": line_item["currency"],
        "description": line_item["description"],
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "metadata": dict(subscription["metadata"]) if item else {},
        "parent": _parent(subscription["id"], item),
        "period": {"end": item["current_period_end"] if item else start, "start": start},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": line_item["quantity"] or 0,
        "subscription": subscription["id"],
        "subtotal": line_item["amount_subtotal"],
        "taxes": [],
    }


def _parent(subscription_id: str, item: Object | None) -> Object:
    """Say where a line comes from: a subscription item, or a one-time price billed along with them."""
    proration = {"proration": False, "proration_details": {"credited_items": None}, "subscription": subscription_id}
    if item is None:
        return {
            "invoice_item_details": {"invoice_item": new_id("invoice_item"), **proration},
            "subscription_item_details": None,
            "type": "invoice_item_details",
        }
    return {
        "invoice_item_details": None,
        "subscription_item_details": {"invoice_item": None, **proration, "subscription_item": item["id"]},
        "type": "subscription_item_details",
    }
