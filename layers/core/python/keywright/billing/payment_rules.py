"""Reads Stripe's payment intents, charges, refunds and disputes, in the shape of the pinned API version. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keywright.billing.models import Charge, Dispute, InvoicePayment, PaymentIntent, PaymentMethod, Refund
from keywright.billing.rules import metadata_of, paid_with, reference
from keywright.platform.clock import from_unix

REFUND_RANK = {"pending": 0, "requires_action": 0, "succeeded": 1, "failed": 2, "canceled": 2}
"""A refund that succeeded may still fail, when the bank sends the money back."""

DISPUTE_RANK = {
    "warning_needs_response": 0,
    "warning_under_review": 1,
    "needs_response": 2,
    "under_review": 3,
    "warning_closed": 4,
    "prevented": 4,
    "won": 4,
    "lost": 4,
}

INTENT_RANK = {"succeeded": 1, "canceled": 1}
"""Before one of these, an intent may go back and forth."""

CHARGE_RANK = {"pending": 0, "failed": 1, "succeeded": 1}


def read_payment_intent(stripe: Mapping[str, Any]) -> PaymentIntent:
    """Return the payment intent that Stripe's object describes."""
    return PaymentIntent(
        payment_intent_id=stripe["id"],
        stripe_customer_id=reference(stripe.get("customer")),
        invoice_id=reference(stripe.get("invoice")),
        latest_charge_id=reference(stripe.get("latest_charge")),
        status=stripe["status"],
        amount=stripe["amount"],
        amount_received=stripe.get("amount_received") or 0,
        currency=stripe["currency"],
        created_at=from_unix(stripe["created"]),
        metadata=metadata_of(stripe),
    )


def read_charge(stripe: Mapping[str, Any]) -> Charge:
    """Return the charge that Stripe's object describes."""
    card = (stripe.get("payment_method_details") or {}).get("card") or {}
    return Charge(
        charge_id=stripe["id"],
        stripe_customer_id=reference(stripe.get("customer")),
        payment_intent_id=reference(stripe.get("payment_intent")),
        invoice_id=reference(stripe.get("invoice")),
        status=stripe["status"],
        amount=stripe["amount"],
        amount_captured=stripe.get("amount_captured", stripe["amount"]),
        amount_refunded=stripe.get("amount_refunded") or 0,
        currency=stripe["currency"],
        failure_code=stripe.get("failure_code"),
        card_brand=card.get("brand"),
        card_last4=card.get("last4"),
        card_exp_month=card.get("exp_month"),
        card_exp_year=card.get("exp_year"),
        created_at=from_unix(stripe["created"]),
        metadata=metadata_of(stripe),
    )


def read_payment_method(stripe: Mapping[str, Any]) -> PaymentMethod:
    """Return the payment method that Stripe's object describes."""
    card = stripe.get("card") or {}
    return PaymentMethod(
        payment_method_id=stripe["id"],
        stripe_customer_id=reference(stripe.get("customer")),
        method_type=stripe["type"],
        card_brand=card.get("brand"),
        card_last4=card.get("last4"),
        card_exp_month=card.get("exp_month"),
        card_exp_year=card.get("exp_year"),
        created_at=from_unix(stripe["created"]),
    )


def read_refund(stripe: Mapping[str, Any]) -> Refund:
    """Return the refund that Stripe's object describes."""
    return Refund(
        refund_id=stripe["id"],
        charge_id=reference(stripe.get("charge")),
        payment_intent_id=reference(stripe.get("payment_intent")),
        # Refunds of long ago have no status: they could only succeed.
        status=stripe.get("status") or "succeeded",
        amount=stripe["amount"],
        currency=stripe["currency"],
        reason=stripe.get("reason"),
        created_at=from_unix(stripe["created"]),
    )


def read_dispute(stripe: Mapping[str, Any]) -> Dispute:
    """Return the dispute that Stripe's object describes."""
    return Dispute(
        dispute_id=stripe["id"],
        charge_id=reference(stripe.get("charge")),
        payment_intent_id=reference(stripe.get("payment_intent")),
        status=stripe["status"],
        amount=stripe["amount"],
        currency=stripe["currency"],
        reason=stripe.get("reason"),
        created_at=from_unix(stripe["created"]),
    )


def read_invoice_payment(stripe: Mapping[str, Any]) -> InvoicePayment:
    """Return the link between an invoice and its payment."""
    return InvoicePayment(
        invoice_payment_id=stripe["id"],
        invoice_id=reference(stripe["invoice"]) or "",
        payment_id=paid_with(stripe),
        status=stripe["status"],
    )
