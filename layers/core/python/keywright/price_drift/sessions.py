"""Keeping what Stripe answers of a checkout, compared with what its buyer was shown before anybody pays."""

from __future__ import annotations

from datetime import datetime

from keywright.checkout import opening
from keywright.checkout.models import Checkout, Order, StripeSession
from keywright.platform.db import Transaction
from keywright.price_drift import repository, rules
from keywright.price_drift.models import Billed, Comparison, Uncompared


def record_session(
    tx: Transaction, order: Order, session: StripeSession, *, now: datetime, ended_because: str | None = None
) -> None:
    """
    Keep the session that Stripe has for the order, however far it came and why we ended it, and compare it.

    Whoever heard Stripe's answer does so, the buyer's own request or a job after it: a one-time purchase has no invoice
    that could be compared later.
    """
    opening.record_session(tx, order, session, ended_because=ended_because)
    if session.subtotal is not None:
        compare_session(
            tx,
            order.checkout,
            stripe_session_id=session.stripe_session_id,
            subtotal=session.subtotal,
            currency=session.subject.get("currency"),
            now=now,
        )


def compare_session(
    tx: Transaction,
    checkout: Checkout,
    *,
    stripe_session_id: str,
    subtotal: int,
    now: datetime,
    currency: str | None = None,
) -> None:
    """Compare what Stripe's payment page asks for with what the buyer was shown, unless usage decides."""
    shown = repository.find_shown_at(
        tx, customer_sid=checkout.customer_sid, checkout_session_sid=checkout.checkout_session_sid
    )
    if shown is None or shown.estimate:
        return
    billed = Billed(
        subject_id=stripe_session_id,
        line_id="session",
        customer_sid=checkout.customer_sid,
        price_id=checkout.price_id,
        quantity=checkout.quantity,
        currency=currency or checkout.currency,
        amount_minor=subtotal,
    )
    found: Comparison | Uncompared = rules.compare_with_shown(billed, shown, now=now)
    assert isinstance(found, Comparison)
    repository.save(tx, stripe_session_id, [found], [])
