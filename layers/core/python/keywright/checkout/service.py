"""Opening a checkout in three moves: the intention is committed, Stripe is asked, the answer is kept."""

from __future__ import annotations

from datetime import datetime

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.catalog import service as catalog
from keywright.catalog.models import LicenseKind, Offer
from keywright.checkout import repository, rules
from keywright.checkout.models import (
    Checkout,
    CheckoutNotFound,
    CheckoutState,
    CustomerNotReady,
    Order,
    PaidSession,
    StripeSession,
)
from keywright.customers import service as customers
from keywright.domains import service as domains
from keywright.licensing import editions
from keywright.licensing.editions import NotAirGapped
from keywright.platform import ids
from keywright.platform.db import Transaction
from keywright.pricing import rules as pricing


def intend(
    tx: Transaction,
    *,
    customer_sid: str,
    user_sid: str,
    domain_sid: str,
    price_id: str,
    quantity: int | None,
    challenge: str | None = None,
    now: datetime,
) -> Order:
    """
    Commit to what is to be bought, with the amount computed here.

    :raises DomainNotFound: if the domain is absent or somebody else's
    :raises PriceNotFound: if the price is not on sale
    :raises CustomerNotReady: if the customer's Stripe account is still being made
    :raises NotAirGapped: if there is a challenge, and what is bought is bound to none
    :raises ChallengeInvalid: if the challenge cannot be used
    """
    domain = domains.get_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    stripe_customer_id = _stripe_customer(tx, customer_sid)
    offer = catalog.get_offer(tx, price_id=price_id)
    _check_challenge(challenge, offer, domain_name=domain.domain_name)
    price = offer.prices[0]
    units = rules.quantity_of(offer, quantity)
    money = pricing.quote(price, quantity=units).money
    checkout = Checkout(
        checkout_session_sid=ids.new("chk", now=now),
        customer_sid=customer_sid,
        domain_sid=domain_sid,
        price_id=price_id,
        quantity=units,
        mode=rules.mode_of(offer),
        amount_minor=money.minor,
        currency=money.currency,
        state=CheckoutState.CREATING,
        stripe_session_id=None,
        url=None,
        created_at=now,
        challenge=challenge,
    )
    repository.add_checkout(tx, checkout)
    _audit_opening(tx, checkout, user_sid=user_sid, now=now)
    family = offer.product.product_family or ""
    return Order(checkout, stripe_customer_id, family, metered=price.usage_type == "metered")


def record_session(tx: Transaction, order: Order, session: StripeSession) -> None:
    """Keep the session that Stripe opened for the order."""
    repository.record_session(tx, session, checkout_session_sid=order.checkout.checkout_session_sid)


def get_checkout(tx: Transaction, *, customer_sid: str, checkout_session_sid: str) -> Checkout:
    """
    Return a checkout of the customer.

    :raises CheckoutNotFound: if it is absent or somebody else's
    """
    found = repository.find_checkout(tx, customer_sid=customer_sid, checkout_session_sid=checkout_session_sid)
    if found is None:
        raise CheckoutNotFound("There is no checkout session with this id.")
    return found


def mirror_session(
    tx: Transaction,
    session: PaidSession,
    *,
    customer_sid: str,
    checkout_session_sid: str,
    observed_at: datetime,
    observed_by: str,
) -> Checkout | None:
    """Set the checkout to what the fold says of its session, under the checkout's lock; None if it is not ours."""
    checkout = repository.lock_checkout(tx, customer_sid=customer_sid, checkout_session_sid=checkout_session_sid)
    if checkout is None:
        return None
    state = CheckoutState(session.status.upper())
    repository.set_state(tx, checkout, session, state=state, observed_at=observed_at, observed_by=observed_by)
    return checkout


def find_challenge(tx: Transaction, *, customer_sid: str, checkout_session_sid: str) -> str | None:
    """Return the challenge that a checkout of the customer was opened with, or None."""
    found = repository.find_checkout(tx, customer_sid=customer_sid, checkout_session_sid=checkout_session_sid)
    return None if found is None else found.challenge


def find_paid_by(tx: Transaction, *, payment_intent_id: str) -> str | None:
    """Return the Stripe session that a payment belongs to."""
    return repository.find_session_paid_by(tx, payment_intent_id=payment_intent_id)


def find_intent_of(tx: Transaction, *, stripe_session_id: str) -> str | None:
    """Return the payment that a Stripe session led to; None before there is one."""
    return repository.find_intent_of(tx, stripe_session_id=stripe_session_id)


def _stripe_customer(tx: Transaction, customer_sid: str) -> str:
    stripe_customer_id = customers.get_customer(tx, customer_sid=customer_sid).stripe_customer_id
    if stripe_customer_id is None:
        raise CustomerNotReady("Your billing account is being prepared. Try again in a few seconds.")
    return stripe_customer_id


def _check_challenge(challenge: str | None, offer: Offer, *, domain_name: str) -> None:
    if challenge is None:
        return
    if offer.license_kind is not LicenseKind.AIR_GAPPED:
        raise NotAirGapped("Only an air-gapped license is bound to a machine.")
    editions.check_challenge(challenge, domain_name=domain_name)


def _audit_opening(tx: Transaction, checkout: Checkout, *, user_sid: str, now: datetime) -> None:
    audit.record(
        tx,
        "CHECKOUT_OPENED",
        actor=actors.user(user_sid),
        subject=checkout.checkout_session_sid,
        new={
            "domain_sid": checkout.domain_sid,
            "price_id": checkout.price_id,
            "quantity": checkout.quantity,
            "amount_minor": checkout.amount_minor,
            "currency": checkout.currency,
        },
        now=now,
    )
