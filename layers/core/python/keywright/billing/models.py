"""The mirrored objects, in one internal shape whatever API version they came in. Equal objects are equal values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

Metadata = tuple[tuple[str, str], ...]
"""Metadata as sorted pairs, so that states can be compared and counted."""


@dataclass(frozen=True)
class SubscriptionItem:
    """One price of a subscription, and the period that is running."""

    item_id: str
    price_id: str
    quantity: int | None
    current_period_start: datetime
    current_period_end: datetime
    created_at: datetime


@dataclass(frozen=True)
class Subscription:
    """
    A Stripe subscription. ``pause_behavior`` is set while the collection of payments is paused.

    ``cancel_at`` is when it ends by itself, ``canceled_at`` when somebody asked for that, or for its end at once.
    Events and lists show the first items of a long subscription only: then it has not ``all_items``.
    """

    subscription_id: str
    stripe_customer_id: str
    status: str
    cancel_at_period_end: bool
    cancel_at: datetime | None
    canceled_at: datetime | None
    ended_at: datetime | None
    trial_end: datetime | None
    pause_behavior: str | None
    pause_resumes_at: datetime | None
    default_payment_method_id: str | None
    latest_invoice_id: str | None
    created_at: datetime
    items: tuple[SubscriptionItem, ...]
    metadata: Metadata
    all_items: bool = True


@dataclass(frozen=True)
class InvoiceLine:
    """One line of an invoice; the amount is in minor units."""

    line_id: str
    price_id: str | None
    subscription_item_id: str | None
    description: str | None
    quantity: int | None
    amount: int
    currency: str
    proration: bool
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True)
class Invoice:
    """
    A Stripe invoice; amounts are minor units of its currency. ``payment_ids`` are intents, or charges of old.

    Events and lists show the first lines of a long invoice only: then it has not ``all_lines``.
    """

    invoice_id: str
    stripe_customer_id: str | None
    subscription_id: str | None
    invoice_number: str | None
    status: str
    currency: str
    amount_due: int
    amount_paid: int
    amount_remaining: int
    total: int
    attempted: bool
    attempt_count: int
    billing_reason: str | None
    collection_method: str | None
    created_at: datetime
    due_at: datetime | None
    next_attempt_at: datetime | None
    finalized_at: datetime | None
    paid_at: datetime | None
    lines: tuple[InvoiceLine, ...]
    payment_ids: tuple[str, ...]
    metadata: Metadata
    all_lines: bool = True


@dataclass(frozen=True)
class Failure:
    """
    What the observations of an invoice tell that the invoice itself does not: when paying it first failed.

    ``first_retry_at`` is for when the next attempt was planned then, and ``failed_again_at`` when a later one failed
    too. Neither moves on with later attempts, as the invoice's own plan does.
    """

    failed_at: datetime | None = None
    awaits_customer: bool = False
    first_retry_at: datetime | None = None
    failed_again_at: datetime | None = None


@dataclass(frozen=True)
class PaymentIntent:
    """What is to be paid, across the charges that try to pay it."""

    payment_intent_id: str
    stripe_customer_id: str | None
    invoice_id: str | None
    latest_charge_id: str | None
    status: str
    amount: int
    amount_received: int
    currency: str
    created_at: datetime
    metadata: Metadata


@dataclass(frozen=True)
class Charge:
    """One attempt to take money. Of the card there is what a customer needs to recognize it, and nothing more."""

    charge_id: str
    stripe_customer_id: str | None
    payment_intent_id: str | None
    invoice_id: str | None
    status: str
    amount: int
    amount_captured: int
    amount_refunded: int
    currency: str
    failure_code: str | None
    card_brand: str | None
    card_last4: str | None
    card_exp_month: int | None
    card_exp_year: int | None
    created_at: datetime
    metadata: Metadata


@dataclass(frozen=True)
class PaymentMethod:
    """What a customer pays with; of a card there is what they need to recognize it, and nothing more."""

    payment_method_id: str
    stripe_customer_id: str | None
    method_type: str
    card_brand: str | None
    card_last4: str | None
    card_exp_month: int | None
    card_exp_year: int | None
    created_at: datetime


@dataclass(frozen=True)
class Refund:
    """Money given back; only one that succeeded counts."""

    refund_id: str
    charge_id: str | None
    payment_intent_id: str | None
    status: str
    amount: int
    currency: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True)
class Dispute:
    """A bank that takes a charge back until it has decided."""

    dispute_id: str
    charge_id: str | None
    payment_intent_id: str | None
    status: str
    amount: int
    currency: str
    reason: str | None
    created_at: datetime


@dataclass(frozen=True)
class InvoicePayment:
    """The link between an invoice and the payment for it."""

    invoice_payment_id: str
    invoice_id: str
    payment_id: str | None
    status: str


@dataclass(frozen=True)
class Observation:
    """Which observation a row of the mirror was set by, and the moment that it speaks of."""

    observed_at: datetime
    observed_by: str


@dataclass(frozen=True)
class Bill:
    """The part of a mirrored invoice that a license's standing depends on."""

    invoice_id: str
    status: str
    amount_remaining: int
    attempted: bool
    attempt_count: int
    billing_reason: str | None
    collection_method: str | None
    created_at: datetime
    due_at: datetime | None
    next_attempt_at: datetime | None
    finalized_at: datetime | None
    failed_at: datetime | None
    awaits_customer: bool
    first_retry_at: datetime | None
    failed_again_at: datetime | None


@dataclass(frozen=True)
class Setback:
    """A dispute or a refund of a payment. ``invoice_created_at`` is set if the payment was for an invoice."""

    kind: str
    setback_id: str
    status: str
    amount: int
    charge_amount: int
    at: datetime
    invoice_created_at: datetime | None
