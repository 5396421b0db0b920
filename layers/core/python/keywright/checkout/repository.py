"""Rows of ``checkout_sessions``, always bounded by ``customer_sid``."""

from __future__ import annotations

from datetime import datetime

from keywright.checkout.models import Checkout, CheckoutState, PaidSession, StripeSession
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_checkout(tx: Transaction, checkout: Checkout) -> None:
    """Insert the intention."""
    tx.run(_sql.add_checkout, **vars(checkout))


def record_session(tx: Transaction, session: StripeSession, *, checkout_session_sid: str) -> None:
    """Keep what Stripe answered."""
    tx.run(_sql.record_session, checkout_session_sid=checkout_session_sid, **vars(session))


def find_checkout(tx: Transaction, *, customer_sid: str, checkout_session_sid: str) -> Checkout | None:
    """Return a checkout of the customer, or None."""
    # Sids are ASCII, and the database refuses to compare their columns with anything else.
    if not checkout_session_sid.isascii():
        return None
    return _checkout(tx.one(_sql.find_checkout, customer_sid=customer_sid, checkout_session_sid=checkout_session_sid))


def lock_checkout(tx: Transaction, *, customer_sid: str, checkout_session_sid: str) -> Checkout | None:
    """Return a checkout of the customer, locked, or None."""
    return _checkout(tx.one(_sql.lock_checkout, customer_sid=customer_sid, checkout_session_sid=checkout_session_sid))


def set_state(
    tx: Transaction,
    checkout: Checkout,
    session: PaidSession,
    *,
    state: CheckoutState,
    observed_at: datetime,
    observed_by: str,
) -> None:
    """Set the state that Stripe reported, and what the session led to; the caller holds the row."""
    tx.run(
        _sql.set_state,
        checkout_session_sid=checkout.checkout_session_sid,
        stripe_session_id=session.stripe_session_id,
        payment_status=session.payment_status,
        subscription_id=session.subscription_id,
        payment_intent_id=session.payment_intent_id,
        state=state,
        observed_at=observed_at,
        observed_by=observed_by,
    )


def find_session_paid_by(tx: Transaction, *, payment_intent_id: str) -> str | None:
    """Return the Stripe session that a payment belongs to."""
    row = tx.one(_sql.find_session_paid_by, payment_intent_id=payment_intent_id)
    return None if row is None else row["stripe_session_id"]


def find_intent_of(tx: Transaction, *, stripe_session_id: str) -> str | None:
    """Return the payment that a Stripe session led to; None before there is one."""
    row = tx.one(_sql.find_intent_of, stripe_session_id=stripe_session_id)
    return None if row is None else row["payment_intent_id"]


def _checkout(row: Row | None) -> Checkout | None:
    return None if row is None else Checkout(**{**row, "state": CheckoutState(row["state"])})
