"""Where a purchase stands, and what the fold says of it. How one is opened is in ``opening``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from keywright.checkout import repository, rules
from keywright.checkout.models import (
    Checkout,
    CheckoutNotFound,
    CheckoutState,
    CustomerNotReady,
    PaidSession,
    Result,
    ReturnUrlRefused,
)
from keywright.customers import service as customers
from keywright.jobs import service as jobs
from keywright.platform.db import Row, Transaction
from keywright.platform.errors import FieldError


def get_checkout(tx: Transaction, *, customer_sid: str, checkout_session_sid: str) -> tuple[Checkout, Result | None]:
    """
    Return a checkout of the customer, and the license that it led to.

    :raises CheckoutNotFound: if it is absent or somebody else's
    """
    found = repository.find_checkout(tx, customer_sid=customer_sid, checkout_session_sid=checkout_session_sid)
    if found is None:
        raise CheckoutNotFound("There is no checkout session with this id.")
    return found, repository.find_result(tx, found)


def get_stripe_customer(tx: Transaction, *, customer_sid: str) -> str:
    """
    Return Stripe's id of the customer.

    :raises CustomerNotReady: if the customer's Stripe account is still being made
    """
    customer = customers.get_customer(tx, customer_sid=customer_sid)
    if customer.stripe_customer_id is None:
        raise CustomerNotReady("Your billing account is being prepared. Try again in a few seconds.")
    return customer.stripe_customer_id


def check_return_url(url: str, *, origins: Collection[str]) -> None:
    """
    Require that an address is on one of the origins that the deployment names.

    :raises ReturnUrlRefused: if it is elsewhere
    """
    if not rules.allowed_return_url(url, origins=origins):
        wrong = FieldError("body.return_url", "Its origin is not one that this deployment returns to.")
        raise ReturnUrlRefused("The address to return to is not allowed.", errors=(wrong,))


def mirror_session(
    tx: Transaction,
    session: PaidSession,
    *,
    customer_sid: str,
    checkout_session_sid: str,
    payment_failed_at: datetime | None,
    observed_at: datetime,
    observed_by: str,
    now: datetime,
) -> Checkout | None:
    """Set the checkout to what the fold says of its session, under the checkout's lock; None if it is not ours."""
    checkout = repository.lock_checkout(tx, customer_sid=customer_sid, checkout_session_sid=checkout_session_sid)
    if checkout is None:
        return None
    state = CheckoutState(session.status.upper())
    repository.set_state(
        tx,
        checkout,
        session,
        state=state,
        payment_failed_at=payment_failed_at,
        observed_at=observed_at,
        observed_by=observed_by,
    )
    if state is CheckoutState.COMPLETE and payment_failed_at is None:
        _end_siblings(tx, checkout, now=now)
    return checkout


def _end_siblings(tx: Transaction, checkout: Checkout, *, now: datetime) -> None:
    """Have every other session ended that would sell the same product to the same domain again."""
    for sid in repository.list_siblings(tx, checkout):
        payload = {"checkout_session_sid": sid}
        jobs.enqueue(tx, "checkout.end", payload, key=f"{sid}:{checkout.checkout_session_sid}", now=now)


def find_first(tx: Transaction, *, customer_sid: str, checkout_session_sids: Iterable[str]) -> Checkout | None:
    """Return the first of these checkouts that is the customer's, or None."""
    found = (
        repository.find_checkout(tx, customer_sid=customer_sid, checkout_session_sid=sid)
        for sid in checkout_session_sids
    )
    return next((checkout for checkout in found if checkout is not None), None)


def find_paid_by(tx: Transaction, *, payment_intent_id: str) -> str | None:
    """Return the Stripe session that a payment belongs to."""
    return repository.find_session_paid_by(tx, payment_intent_id=payment_intent_id)


def find_intent_of(tx: Transaction, *, stripe_session_id: str) -> str | None:
    """Return the payment that a Stripe session led to; None before there is one."""
    return repository.find_intent_of(tx, stripe_session_id=stripe_session_id)


def find_preview(tx: Transaction, *, checkout_session_sid: str) -> Row | None:
    """Return ``{price_id, quantity, currency, amount_minor}`` of what a buyer was shown; None if nothing is kept."""
    return repository.find_preview(tx, checkout_session_sid=checkout_session_sid)
