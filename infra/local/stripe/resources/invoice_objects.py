"""The shape of a new invoice, of whatever origin."""

from __future__ import annotations

import copy
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.listing import list_object
from infra.local.stripe.parameters import merged_metadata
from infra.local.stripe.store import Object, new_id

_DAY_S = 86_400
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
    "custom_fields": None,
    "customer_account": None,
    "customer_shipping": None,
    "customer_tax_ids": [],
    "default_source": None,
    "default_tax_rates": [],
    "discounts": [],
    "footer": None,
    "from_invoice": None,
    "hosted_invoice_url": None,
    "invoice_pdf": None,
    "issuer": {"type": "self"},
    "last_finalization_error": None,
    "latest_revision": None,
    "livemode": False,
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


def build(
    account: Account,
    *,
    customer: Object,
    subscription: Object | None,
    lines: list[Object],
    reason: str,
    currency: str,
    details: dict[str, Any] | None = None,
) -> Object:
    """Build a draft; it is not kept yet. ``details`` are what a caller of the API gave for it."""
    now, identifier, given = account.clock.now(), new_id("invoice"), details or {}
    source = {"collection_method": "charge_automatically", "days_until_due": None, **(subscription or {}), **given}
    sent = source["collection_method"] == "send_invoice"
    invoice: Object = {
        "id": identifier,
        "object": "invoice",
        **copy.deepcopy(_FIXED),
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "billing_reason": reason,
        "collection_method": source["collection_method"],
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        **{f"customer_{name}": customer[name] for name in ("address", "email", "name", "phone", "tax_exempt")},
        "default_payment_method": None,
        "description": given.get("description"),
        "due_date": given.get("due_date", now + (source["days_until_due"] or 0) * _DAY_S) if sent else None,
        "effective_at": None,
        "ending_balance": None,
        "lines": list_object(lines, f"/v1/invoices/{identifier}/lines"),
        "metadata": merged_metadata({}, given.get("metadata")),
        "parent": None if subscription is None else _parent(subscription),
        "payments": list_object([], f"/v1/invoice_payments?invoice={identifier}"),
        "period_end": now,
        "period_start": now,
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "webhooks_delivered_at": None,
    }
    total_up(invoice)
    return invoice


def _parent(subscription: Object) -> Object:
    return {
        "quote_details": None,
        "subscription_details": {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]},
        "type": "subscription_details",
    }


def total_up(invoice: Object) -> None:
    """Write the sums of a draft's lines; what is due beyond them is settled when it is finalized."""
    for line in invoice["lines"]["data"]:
        line["invoice"] = invoice["id"]
    total = sum(line["amount"] for line in invoice["lines"]["data"])
    invoice.update(dict.fromkeys(("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"), total))
    invoice["amount_due"] = invoice["amount_remaining"] = max(0, total)
    invoice["amount_paid"] = 0
