"""Reads Stripe's subscription and invoice objects, in the shape of the pinned API version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from keywright.billing.models import Invoice, InvoiceLine, Metadata, Subscription, SubscriptionItem
from keywright.platform.clock import from_unix

ENDED = frozenset({"canceled", "incomplete_expired"})
"""The subscription statuses that absorb: nothing comes after them (Stripe documentation, "Subscription statuses")."""

INVOICE_RANK = {"draft": 0, "open": 1, "uncollectible": 2, "void": 3, "paid": 3}
"""draft < open < {paid, void, uncollectible}; only an uncollectible invoice may still become paid."""


def read_subscription(stripe: Mapping[str, Any]) -> Subscription:
    """Return the subscription that Stripe's object describes."""
    pause = stripe.get("pause_collection") or {}
    return Subscription(
        subscription_id=stripe["id"],
        stripe_customer_id=reference(stripe["customer"]) or "",
        status=stripe["status"],
        cancel_at_period_end=bool(stripe.get("cancel_at_period_end")),
        cancel_at=moment(stripe.get("cancel_at")),
        canceled_at=moment(stripe.get("canceled_at")),
        ended_at=moment(stripe.get("ended_at")),
        trial_end=moment(stripe.get("trial_end")),
        pause_behavior=pause.get("behavior"),
        pause_resumes_at=moment(pause.get("resumes_at")),
        default_payment_method_id=reference(stripe.get("default_payment_method")),
        latest_invoice_id=reference(stripe.get("latest_invoice")),
        created_at=from_unix(stripe["created"]),
        items=tuple(sorted((_item(item, stripe) for item in stripe["items"]["data"]), key=lambda item: item.item_id)),
        metadata=metadata_of(stripe),
        all_items=not stripe["items"].get("has_more"),
    )


def read_invoice(stripe: Mapping[str, Any]) -> Invoice:
    """Return the invoice that Stripe's object describes."""
    transitions = stripe.get("status_transitions") or {}
    payments = (stripe.get("payments") or {}).get("data") or ()
    listed = stripe.get("lines") or {}
    return Invoice(
        invoice_id=stripe["id"],
        stripe_customer_id=reference(stripe.get("customer")),
        subscription_id=reference(subscription_details(stripe).get("subscription")),
        invoice_number=stripe.get("number"),
        status=stripe["status"],
        currency=stripe["currency"],
        amount_due=stripe["amount_due"],
        amount_paid=stripe["amount_paid"],
        amount_remaining=stripe.get("amount_remaining", stripe["amount_due"] - stripe["amount_paid"]),
        total=stripe["total"],
        attempted=bool(stripe.get("attempted")),
        attempt_count=stripe.get("attempt_count") or 0,
        billing_reason=stripe.get("billing_reason"),
        collection_method=stripe.get("collection_method"),
        created_at=from_unix(stripe["created"]),
        due_at=moment(stripe.get("due_date")),
        next_attempt_at=moment(stripe.get("next_payment_attempt")),
        finalized_at=moment(transitions.get("finalized_at")),
        paid_at=moment(transitions.get("paid_at")),
        lines=tuple(_line(line, stripe) for line in listed.get("data") or ()),
        payment_ids=tuple(sorted(filter(None, map(paid_with, payments)))),
        metadata=metadata_of(stripe),
        all_lines=not listed.get("has_more"),
    )


def subscription_details(invoice: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an invoice says of its subscription."""
    return (invoice.get("parent") or {}).get("subscription_details") or {}


def paid_with(payment: Mapping[str, Any]) -> str | None:
    """Return the id of the intent or the charge behind an invoice's payment."""
    behind = payment.get("payment") or {}
    return reference(behind.get("payment_intent")) or reference(behind.get("charge"))


def metadata_of(stripe: Mapping[str, Any]) -> Metadata:
    """Return metadata as sorted pairs; a key without a value is one that is not there."""
    return tuple(sorted((key, value) for key, value in (stripe.get("metadata") or {}).items() if value is not None))


def reference(value: object) -> str | None:
    """Return the id of a reference, which Stripe gives plain or expanded."""
    if isinstance(value, Mapping):
        return str(value["id"])
    return None if value is None else str(value)


def moment(seconds: int | None) -> datetime | None:
    """Return the moment of a Unix time that may be missing."""
    return None if seconds is None else from_unix(seconds)


def _item(item: Mapping[str, Any], subscription: Mapping[str, Any]) -> SubscriptionItem:
    return SubscriptionItem(
        item_id=item["id"],
        price_id=item["price"]["id"],
        quantity=item.get("quantity"),
        current_period_start=from_unix(item["current_period_start"]),
        current_period_end=from_unix(item["current_period_end"]),
        created_at=from_unix(item.get("created") or subscription["created"]),
    )


def _line(line: Mapping[str, Any], invoice: Mapping[str, Any]) -> InvoiceLine:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return InvoiceLine(
        line_id=line["id"],
        price_id=reference(((line.get("pricing") or {}).get("price_details") or {}).get("price")),
        subscription_item_id=reference(details.get("subscription_item")),
        description=line.get("description"),
        quantity=line.get("quantity"),
        amount=line["amount"],
        currency=line.get("currency") or invoice["currency"],
        proration=bool(details.get("proration")),
        period_start=from_unix(line["period"]["start"]),
        period_end=from_unix(line["period"]["end"]),
    )
