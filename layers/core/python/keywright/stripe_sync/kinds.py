"""How the objects of each Stripe type are read and folded. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keywright.billing import payment_rules as payments
from keywright.billing import rules as billing
from keywright.billing.models import (
    Charge,
    Dispute,
    Invoice,
    InvoicePayment,
    PaymentIntent,
    PaymentMethod,
    Refund,
    Subscription,
)
from keywright.catalog import rules as catalog
from keywright.catalog.models import Price, Product
from keywright.checkout import rules as checkout
from keywright.checkout.models import PaidSession
from keywright.stripe_sync import long_invoices, long_subscriptions
from keywright.stripe_sync.fold import Kind

# What is guessed where doubt remains: access is not taken from anybody on a guess.
_BENEFIT = ("canceled", "incomplete_expired", "incomplete", "unpaid", "paused", "past_due", "trialing", "active")


def _price_of_events(stripe: Mapping[str, Any]) -> Price:
    # Events leave tiers and other currencies out, so these are no part of the state that is folded.
    return replace(catalog.read_price(stripe), tiers=(), options=())


PRODUCT: Kind[Product] = Kind("product", catalog.read_product, chained=True)

PRICE: Kind[Price] = Kind("price", _price_of_events, chained=True)

SUBSCRIPTION: Kind[Subscription] = Kind(
    "subscription",
    billing.read_subscription,
    rank=lambda state: (int(state.status in billing.ENDED),),
    chained=True,
    guess=lambda state: _BENEFIT.index(state.status) if state.status in _BENEFIT else -1,
    completed=long_subscriptions.completed,
)

INVOICE: Kind[Invoice] = Kind(
    "invoice",
    billing.read_invoice,
    # Attempts and payments only ever grow, whatever the clocks say.
    rank=lambda state: (billing.INVOICE_RANK[state.status], state.attempt_count, state.amount_paid),
    completed=long_invoices.completed,
)

CHECKOUT_SESSION: Kind[PaidSession] = Kind(
    "checkout.session", checkout.read_session, rank=lambda state: (checkout.session_rank(state),)
)

PAYMENT_INTENT: Kind[PaymentIntent] = Kind(
    "payment_intent",
    payments.read_payment_intent,
    rank=lambda state: (payments.INTENT_RANK.get(state.status, 0),),
    # Once it was tried to charge somebody, there is a charge, whatever became of it.
    progress=lambda state: (int(state.latest_charge_id is not None),),
)

CHARGE: Kind[Charge] = Kind(
    "charge",
    payments.read_charge,
    rank=lambda state: (payments.CHARGE_RANK.get(state.status, 0),),
    progress=lambda state: (state.amount_captured, state.amount_refunded),
)

REFUND: Kind[Refund] = Kind(
    "refund", payments.read_refund, rank=lambda state: (payments.REFUND_RANK.get(state.status, 0),)
)

DISPUTE: Kind[Dispute] = Kind(
    "dispute", payments.read_dispute, rank=lambda state: (payments.DISPUTE_RANK.get(state.status, 0),)
)

INVOICE_PAYMENT: Kind[InvoicePayment] = Kind(
    "invoice_payment", payments.read_invoice_payment, rank=lambda state: (int(state.status != "open"),)
)

PAYMENT_METHOD: Kind[PaymentMethod] = Kind("payment_method", payments.read_payment_method)

KINDS: dict[str, Kind[Any]] = {
    kind.object_type: kind
    for kind in (
        PRODUCT,
        PRICE,
        SUBSCRIPTION,
        INVOICE,
        CHECKOUT_SESSION,
        PAYMENT_INTENT,
        CHARGE,
        REFUND,
        DISPUTE,
        INVOICE_PAYMENT,
        PAYMENT_METHOD,
    )
}
