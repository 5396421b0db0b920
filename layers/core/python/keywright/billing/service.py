"""Keeping the mirror of what Stripe bills and collects. What is written is folded already; the newest is not sought."""

from __future__ import annotations

from keywright.billing import payment_repository, repository
from keywright.billing.models import (
    Bill,
    Charge,
    Dispute,
    Failure,
    Invoice,
    InvoicePayment,
    Observation,
    PaymentIntent,
    PaymentMethod,
    Refund,
    Setback,
    Subscription,
)
from keywright.platform.db import Row, Transaction


def mirror_subscription(
    tx: Transaction, subscription: Subscription, observation: Observation, *, customer_sid: str, domain_sid: str
) -> None:
    """Set the subscription and its items to what the fold says."""
    repository.ensure_subscription(tx, subscription, customer_sid=customer_sid, domain_sid=domain_sid)
    repository.save_subscription(tx, subscription, observation)


def mirror_invoice(
    tx: Transaction, invoice: Invoice, observation: Observation, failure: Failure, *, customer_sid: str
) -> None:
    """Set the invoice, its lines and its payments to what the fold says."""
    repository.save_invoice(tx, invoice, observation, failure, customer_sid=customer_sid)


def remove_invoice(tx: Transaction, *, invoice_id: str) -> None:
    """Remove a draft that Stripe deleted."""
    repository.remove_invoice(tx, invoice_id=invoice_id)


def mirror_invoice_payment(tx: Transaction, payment: InvoicePayment) -> None:
    """Note which payment an invoice was paid by."""
    if payment.payment_id is not None:
        repository.link_payment(tx, invoice_id=payment.invoice_id, payment_id=payment.payment_id)


def mirror_payment_intent(
    tx: Transaction, intent: PaymentIntent, observation: Observation, *, customer_sid: str
) -> None:
    """Set the intent to what the fold says."""
    payment_repository.save_payment_intent(tx, intent, observation, customer_sid=customer_sid)


def mirror_charge(tx: Transaction, charge: Charge, observation: Observation, *, customer_sid: str) -> None:
    """Set the charge to what the fold says."""
    payment_repository.save_charge(tx, charge, observation, customer_sid=customer_sid)


def mirror_payment_method(
    tx: Transaction, method: PaymentMethod, observation: Observation, *, customer_sid: str
) -> None:
    """Set the payment method to what the fold says."""
    payment_repository.save_payment_method(tx, method, observation, customer_sid=customer_sid)


def mirror_refund(tx: Transaction, refund: Refund, observation: Observation) -> None:
    """Set the refund to what the fold says; its charge must be in the mirror."""
    payment_repository.save_refund(tx, refund, observation)


def mirror_dispute(tx: Transaction, dispute: Dispute, observation: Observation) -> None:
    """Set the dispute to what the fold says; its charge must be in the mirror."""
    payment_repository.save_dispute(tx, dispute, observation)


def find_charge(tx: Transaction, *, charge_id: str) -> Row | None:
    """Return ``{charge_id, stripe_customer_id, payment_intent_id, invoice_id}`` of a mirrored charge, or None."""
    return payment_repository.find_charge(tx, charge_id=charge_id)


def list_bills(tx: Transaction, *, subscription_id: str) -> list[Bill]:
    """Return a subscription's invoices as far as its license's standing depends on them."""
    return repository.list_bills(tx, subscription_id=subscription_id)


def find_subscription_of_invoice(tx: Transaction, *, invoice_id: str) -> str | None:
    """Return the subscription that an invoice is for, as far as it is known."""
    return repository.find_subscription_of_invoice(tx, invoice_id=invoice_id)


def find_subscription_of_item(tx: Transaction, *, item_id: str) -> Row | None:
    """Return ``{subscription_id, stripe_customer_id}`` of the subscription that has the item, or None."""
    return repository.find_subscription_of_item(tx, item_id=item_id)


def list_subscriptions_paid_by(tx: Transaction, *, payment_ids: list[str], invoice_id: str | None) -> list[str]:
    """Return the subscriptions whose invoices these payments are for."""
    return payment_repository.list_subscriptions_paid_by(tx, payment_ids=payment_ids, invoice_id=invoice_id)


def list_setbacks_of_subscription(tx: Transaction, *, subscription_id: str) -> list[Setback]:
    """Return the disputes and refunds of what was paid for a subscription."""
    return payment_repository.list_setbacks_of_subscription(tx, subscription_id=subscription_id)


def list_setbacks_of_intent(tx: Transaction, *, payment_intent_id: str) -> list[Setback]:
    """Return the disputes and refunds of one payment."""
    return payment_repository.list_setbacks_of_intent(tx, payment_intent_id=payment_intent_id)
