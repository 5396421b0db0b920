"""Opening a checkout in three moves: the intention is committed, Stripe is asked, the answer is kept."""

from __future__ import annotations

from datetime import datetime

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.billers import service as billers
from keywright.billers.models import Biller
from keywright.catalog import service as catalog
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
    now: datetime,
) -> Order:
    """
    Commit to what is to be bought, with the amount computed here.

    :raises DomainNotFound: if the domain is absent or somebody else's
    :raises PriceNotFound: if the price is not on sale
    :raises CustomerNotReady: if the customer's Stripe account is still being made
    :raises BilledOtherwise: if a contract bills the product for this domain
    """
    domains.get_domain(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    customer = customers.get_customer(tx, customer_sid=customer_sid)
    if customer.stripe_customer_id is None:
        raise CustomerNotReady("Your billing account is being prepared. Try again in a few seconds.")
    offer = catalog.get_offer(tx, price_id=price_id)
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
    )
    _claim(tx, checkout, product_id=price.product_id, now=now)
    repository.add_checkout(tx, checkout)
    _audit_opening(tx, checkout, user_sid=user_sid, now=now)
    family = offer.product.product_family or ""
    return Order(checkout, customer.stripe_customer_id, family, metered=price.usage_type == "metered")


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


def find_paid_by(tx: Transaction, *, payment_intent_id: str) -> str | None:
    """Return the Stripe session that a payment belongs to."""
    return repository.find_session_paid_by(tx, payment_intent_id=payment_intent_id)


def _claim(tx: Transaction, checkout: Checkout, *, product_id: str, now: datetime) -> None:
    billers.claim(
        tx,
        customer_sid=checkout.customer_sid,
        domain_sid=checkout.domain_sid,
        product_id=product_id,
        biller=Biller.STRIPE,
        held_by=checkout.checkout_session_sid,
        now=now,
    )


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
