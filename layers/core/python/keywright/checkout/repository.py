"""Rows of ``checkout_sessions``, always bounded by ``customer_sid``."""

from __future__ import annotations

from keywright.checkout.models import Checkout, CheckoutState, StripeSession
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


def set_state(tx: Transaction, checkout: Checkout, *, stripe_session_id: str, state: CheckoutState) -> None:
    """Set the state that Stripe reported; the caller holds the row."""
    tx.run(
        _sql.set_state,
        checkout_session_sid=checkout.checkout_session_sid,
        stripe_session_id=stripe_session_id,
        state=state,
    )


def _checkout(row: Row | None) -> Checkout | None:
    return None if row is None else Checkout(**{**row, "state": CheckoutState(row["state"])})
