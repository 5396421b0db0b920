"""Rows of ``checkout_sessions`` and ``price_previews``. Whatever a customer asks for is bounded by ``customer_sid``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from keywright.checkout.models import Checkout, CheckoutState, PaidSession, Result, StripeSession
from keywright.platform import sql
from keywright.platform.db import Row, Transaction
from keywright.pricing.models import Quote

_sql = sql.load(__file__)


def add_checkout(tx: Transaction, checkout: Checkout) -> None:
    """Insert the intention. The unique key allows one that is open for a domain and a price."""
    tx.run(_sql.add_checkout, **vars(checkout))


def add_preview(tx: Transaction, checkout: Checkout, quote: Quote) -> None:
    """Keep what the buyer was shown."""
    lines = [[line.description, line.quantity, str(line.unit_amount), str(line.flat_amount)] for line in quote.lines]
    tx.run(
        _sql.add_preview,
        checkout_session_sid=checkout.checkout_session_sid,
        customer_sid=checkout.customer_sid,
        price_id=checkout.price_id,
        quantity=checkout.quantity,
        currency=checkout.currency,
        amount_minor=checkout.amount_minor,
        price_fingerprint=quote.price_fingerprint,
        engine_version=quote.engine_version,
        lines_text=json.dumps(lines),
        created_at=checkout.created_at,
    )


def find_preview(tx: Transaction, *, checkout_session_sid: str) -> Row | None:
    """Return ``{price_id, quantity, currency, amount_minor}`` of what the buyer was shown."""
    return tx.one(_sql.find_preview, checkout_session_sid=checkout_session_sid)


def record_session(tx: Transaction, session: StripeSession, *, checkout_session_sid: str) -> None:
    """Keep what Stripe answered."""
    tx.run(
        _sql.record_session,
        checkout_session_sid=checkout_session_sid,
        stripe_session_id=session.stripe_session_id,
        url=session.url,
        expires_at=session.expires_at,
    )


def next_attempt(tx: Transaction, checkout: Checkout, *, idempotency_key: str, attempted_at: datetime) -> None:
    """Set another key, unless somebody else did or the outcome is known by now."""
    tx.run(
        _sql.next_attempt,
        checkout_session_sid=checkout.checkout_session_sid,
        attempt_no=checkout.attempt_no,
        idempotency_key=idempotency_key,
        attempted_at=attempted_at,
    )


def close_checkout(tx: Transaction, *, checkout_session_sid: str, failure: str | None) -> None:
    """End a checkout that leads to nothing; one that is complete stays so."""
    tx.run(_sql.close_checkout, checkout_session_sid=checkout_session_sid, failure=failure and failure[:500])


def lock_open(tx: Transaction, *, customer_sid: str, domain_sid: str, price_id: str) -> Checkout | None:
    """Return the checkout that is open for a domain and a price, held until commit."""
    return _checkout(tx.one(_sql.lock_open, customer_sid=customer_sid, open_key=f"{domain_sid}:{price_id}"))


def lock_sibling(tx: Transaction, checkout: Checkout) -> Checkout | None:
    """Return a checkout that is open for the same product and domain at another price, held until commit."""
    return _checkout(
        tx.one(
            _sql.lock_sibling,
            customer_sid=checkout.customer_sid,
            domain_sid=checkout.domain_sid,
            product_id=checkout.product_id,
            price_id=checkout.price_id,
        )
    )


def list_siblings(tx: Transaction, checkout: Checkout) -> list[str]:
    """Return the other checkouts that are open for the same product and domain."""
    rows = tx.all(
        _sql.list_siblings,
        customer_sid=checkout.customer_sid,
        domain_sid=checkout.domain_sid,
        product_id=checkout.product_id,
        checkout_session_sid=checkout.checkout_session_sid,
    )
    return [row["checkout_session_sid"] for row in rows]


def find_unsettled(tx: Transaction, *, checkout_session_sid: str) -> Checkout | None:
    """Return a checkout whose end is not known, whoever it belongs to."""
    return _checkout(tx.one(_sql.find_unsettled, checkout_session_sid=checkout_session_sid))


def list_unsettled(tx: Transaction, *, now: datetime, limit: int) -> list[str]:
    """Return checkouts of which Stripe must know more by now."""
    bounds = {
        "asked_before": now - timedelta(minutes=30),
        "opened_before": now - timedelta(minutes=30),
        "ended_before": now - timedelta(minutes=15),
    }
    return [row["checkout_session_sid"] for row in tx.all(_sql.list_unsettled, **bounds, limit=limit)]


def find_live_license(tx: Transaction, *, customer_sid: str, domain_sid: str, product_id: str) -> str | None:
    """Return the license of the product that the domain has."""
    row = tx.one(_sql.find_live_license, customer_sid=customer_sid, domain_sid=domain_sid, product_id=product_id)
    return None if row is None else row["license_sid"]


def find_processing(tx: Transaction, checkout: Checkout, *, recent: datetime) -> str | None:
    """Return a checkout of the same product and domain that is paid and has no license yet."""
    row = tx.one(
        _sql.find_processing,
        customer_sid=checkout.customer_sid,
        domain_sid=checkout.domain_sid,
        product_id=checkout.product_id,
        price_id=checkout.price_id,
        recent=recent,
    )
    return None if row is None else row["checkout_session_sid"]


def find_result(tx: Transaction, checkout: Checkout) -> Result | None:
    """Return the license that the checkout led to."""
    if checkout.stripe_session_id is None:
        return None
    row = tx.one(
        _sql.find_result,
        customer_sid=checkout.customer_sid,
        domain_sid=checkout.domain_sid,
        stripe_session_id=checkout.stripe_session_id,
        subscription_id=checkout.subscription_id,
    )
    return None if row is None else Result(**row)


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
    payment_failed_at: datetime | None,
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
        payment_failed_at=payment_failed_at,
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
