"""
From what a buyer asks for to an intention that Stripe can be told, and what Stripe's answers change about it.

The intention is a row before Stripe is asked. Whatever happens to the call, the row says how to find out what it did.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.billers import service as billers
from keywright.billers.models import Biller
from keywright.catalog import metadata
from keywright.catalog import service as catalog
from keywright.catalog.models import LicenseKind, Offer, Price
from keywright.checkout import repository, rules
from keywright.checkout.models import (
    AlreadyLicensed,
    AmountTooLarge,
    Checkout,
    CheckoutState,
    CustomerNotReady,
    DomainNotVerified,
    Next,
    Order,
    Plan,
    PurchaseInProgress,
    StripeSession,
    Wanted,
)
from keywright.customers import service as customers
from keywright.domains import service as domains
from keywright.domains.models import Domain, DomainState
from keywright.jobs import service as jobs
from keywright.licensing import editions
from keywright.licensing.editions import NotAirGapped
from keywright.platform import ids
from keywright.platform.db import Transaction
from keywright.pricing import rules as pricing
from keywright.pricing.models import Caution, PriceUnsupported, Quote

_SETTLE_AFTER = timedelta(minutes=2)
# So long a payment may take that was promised on Stripe's page.
_SLOWEST_PAYMENT = timedelta(days=14)


def plan(tx: Transaction, wanted: Wanted, *, customer_sid: str, user_sid: str, portal_url: str, now: datetime) -> Plan:
    """
    Commit to what is to be bought, with the amount computed here, or find that it is being bought already.

    :raises DomainNotFound: if the domain is absent or somebody else's
    :raises CustomerNotReady: if the customer's Stripe account is still being made
    :raises PriceNotFound: if the price is not on sale
    :raises DomainNotVerified: if the product is sold for proven domains only
    :raises AmountTooLarge: if it is more than Stripe charges at once
    :raises AlreadyLicensed: if the domain has a license of the product
    :raises PurchaseInProgress: if the same was paid, and its license is on its way
    :raises BilledOtherwise: if a contract bills the product for this domain
    :raises NotAirGapped: if there is a challenge, and what is bought is bound to none
    :raises ChallengeInvalid: if the challenge cannot be used
    """
    # Held until commit: two who buy the same for one domain take turns.
    domain = domains.lock_domain(tx, customer_sid=customer_sid, domain_sid=wanted.domain_sid)
    customer = customers.get_customer(tx, customer_sid=customer_sid)
    if customer.stripe_customer_id is None:
        raise CustomerNotReady("Your billing account is being prepared. Try again in a few seconds.")
    offer = catalog.get_offer(tx, price_id=wanted.price_id)
    checkout, quote = _draft(offer, domain, wanted, correlation_id=tx.correlation_id, now=now)
    _check_verified(domain, offer)
    _check_challenge(wanted.challenge, offer, domain)
    _check_unsold(tx, checkout, now=now)
    open_one = repository.lock_open(
        tx, customer_sid=customer_sid, domain_sid=domain.domain_sid, price_id=wanted.price_id
    )
    if open_one is not None:
        return _join(open_one, checkout, stripe_customer_id=customer.stripe_customer_id, now=now)
    if sibling := repository.lock_sibling(tx, checkout):
        # The buyer may change from monthly to yearly, and must not be able to pay both.
        return Plan(Next.SETTLE, Order(sibling, customer.stripe_customer_id))
    told = rules.session_parameters(
        checkout,
        stripe_customer_id=customer.stripe_customer_id,
        price=offer.prices[0],
        product_family=offer.product.product_family or "",
        portal_url=portal_url,
    )
    intended = replace(checkout, params=json.dumps(told, sort_keys=True))
    _commit(tx, intended, quote, user_sid=user_sid, now=now)
    return Plan(Next.OPEN, Order(intended, customer.stripe_customer_id))


def record_session(tx: Transaction, order: Order, session: StripeSession, *, ended_because: str | None = None) -> None:
    """Keep the session that Stripe has for the order, however far it came, and why it was ended if we did that."""
    repository.record_session(tx, session, checkout_session_sid=order.checkout.checkout_session_sid)
    if session.status == "expired":
        sid = order.checkout.checkout_session_sid
        repository.close_checkout(tx, checkout_session_sid=sid, failure=ended_because)


def check_unpaid(order: Order, session: StripeSession) -> None:
    """
    Require that a session was not paid.

    :raises PurchaseInProgress: if it was
    """
    if session.status == "complete":
        sid = order.checkout.checkout_session_sid
        raise PurchaseInProgress(f"The checkout {sid} is complete. Its license comes with the payment.")


def record_absence(tx: Transaction, order: Order, *, now: datetime) -> None:
    """
    Note that Stripe has no session of the order.

    If its answer to the present key is for good, the order gets another one. If the key is too old to be used, the
    order ends, and whoever still wants it makes a new one.
    """
    checkout = order.checkout
    if not rules.may_repeat(checkout, now=now):
        close(tx, order, failure="Stripe has no session of it.", now=now)
        return
    key = rules.key_of(checkout.checkout_session_sid, checkout.attempt_no + 1)
    repository.next_attempt(tx, checkout, idempotency_key=key, attempted_at=now)


def close(tx: Transaction, order: Order, *, failure: str | None, now: datetime) -> None:
    """End a checkout that leads to nothing."""
    sid = order.checkout.checkout_session_sid
    repository.close_checkout(tx, checkout_session_sid=sid, failure=failure)
    audit.record(tx, "CHECKOUT_CLOSED", actor=actors.SYSTEM, subject=sid, new={"failure": failure}, now=now)


def find_unsettled(tx: Transaction, *, checkout_session_sid: str) -> Order | None:
    """Return the order of a checkout whose end is not known; None if there is nothing to find out."""
    checkout = repository.find_unsettled(tx, checkout_session_sid=checkout_session_sid)
    if checkout is None or checkout.params is None:
        return None
    customer = customers.get_customer(tx, customer_sid=checkout.customer_sid)
    return Order(checkout, customer.stripe_customer_id or "")


def request_settling(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Have everything looked up of which Stripe must know more by now; return how many."""
    sids = repository.list_unsettled(tx, now=now, limit=limit)
    payloads = [(f"{sid}:{now:%Y-%m-%dT%H}", {"checkout_session_sid": sid}) for sid in sids]
    jobs.enqueue_many(tx, "checkout.settle", payloads, now=now)
    return len(sids)


def _draft(
    offer: Offer, domain: Domain, wanted: Wanted, *, correlation_id: str | None, now: datetime
) -> tuple[Checkout, Quote]:
    price = offer.prices[0]
    units = 1 if wanted.quantity is None else wanted.quantity
    quote = pricing.quote_offer(offer, quantity=units, currency=wanted.currency)
    _check_chargeable(quote, price)
    sid = ids.new("chk", now=now)
    checkout = Checkout(
        checkout_session_sid=sid,
        customer_sid=domain.customer_sid,
        domain_sid=domain.domain_sid,
        price_id=price.price_id,
        quantity=units,
        mode=rules.mode_of(offer),
        amount_minor=quote.money.minor,
        currency=quote.money.currency,
        state=CheckoutState.CREATING,
        stripe_session_id=None,
        url=None,
        created_at=now,
        product_id=price.product_id,
        idempotency_key=rules.key_of(sid, 1),
        attempted_at=now,
        challenge=wanted.challenge,
        correlation_id=correlation_id,
    )
    return checkout, quote


def _check_chargeable(quote: Quote, price: Price) -> None:
    amount = quote.money.display()
    if Caution.AMOUNT_TOO_LARGE in quote.warnings:
        raise AmountTooLarge(f"{amount} is more than can be charged at once.")
    # Of a metered price nothing is charged now: what usage comes to is another amount.
    if Caution.AMOUNT_NOT_CHARGEABLE in quote.warnings and price.usage_type != "metered":
        raise PriceUnsupported(f"{amount} cannot be charged: the currency has no such small unit.")


def _check_challenge(challenge: str | None, offer: Offer, domain: Domain) -> None:
    if challenge is None:
        return
    if offer.license_kind is not LicenseKind.AIR_GAPPED:
        raise NotAirGapped("Only an air-gapped license is bound to a machine.")
    editions.check_challenge(challenge, domain_name=domain.domain_name)


def _check_verified(domain: Domain, offer: Offer) -> None:
    if metadata.needs_verified_domain(offer.product) and domain.state is not DomainState.VERIFIED:
        raise DomainNotVerified(f"{offer.product.name} is sold for verified domains only: verify {domain.domain_name}.")


def _check_unsold(tx: Transaction, checkout: Checkout, *, now: datetime) -> None:
    assert checkout.product_id is not None
    owner = {"customer_sid": checkout.customer_sid, "domain_sid": checkout.domain_sid}
    if license_sid := repository.find_live_license(tx, **owner, product_id=checkout.product_id):
        raise AlreadyLicensed(f"The domain has the license {license_sid} of this product.")
    if paid := repository.find_processing(tx, checkout, recent=now - _SLOWEST_PAYMENT):
        raise PurchaseInProgress(f"The checkout {paid} is complete. Its license comes with the payment.")


def _join(open_one: Checkout, checkout: Checkout, *, stripe_customer_id: str, now: datetime) -> Plan:
    step = rules.next_step(open_one, checkout)
    if open_one.state is CheckoutState.OPEN and rules.has_ended(open_one, now=now):
        step = Next.SETTLE
    return Plan(step, Order(open_one, stripe_customer_id))


def _claim(tx: Transaction, checkout: Checkout, *, now: datetime) -> None:
    """Refuse what a contract bills for this domain."""
    assert checkout.product_id is not None
    billers.claim(
        tx,
        customer_sid=checkout.customer_sid,
        domain_sid=checkout.domain_sid,
        product_id=checkout.product_id,
        biller=Biller.STRIPE,
        held_by=checkout.checkout_session_sid,
        now=now,
    )


def _commit(tx: Transaction, checkout: Checkout, quote: Quote, *, user_sid: str, now: datetime) -> None:
    _claim(tx, checkout, now=now)
    repository.add_checkout(tx, checkout)
    repository.add_preview(tx, checkout, quote)
    sid = checkout.checkout_session_sid
    # If whoever asked goes away before Stripe has answered, somebody else finds out what became of it.
    payload = {"checkout_session_sid": sid}
    jobs.enqueue(tx, "checkout.settle", payload, key=sid, now=now, due_at=now + _SETTLE_AFTER)
    audit.record(
        tx,
        "CHECKOUT_OPENED",
        actor=actors.user(user_sid),
        subject=sid,
        new={
            "domain_sid": checkout.domain_sid,
            "price_id": checkout.price_id,
            "quantity": checkout.quantity,
            "amount_minor": checkout.amount_minor,
            "currency": checkout.currency,
        },
        now=now,
    )
