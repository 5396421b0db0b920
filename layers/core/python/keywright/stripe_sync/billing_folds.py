"""Folds subscriptions, invoices and Checkout Sessions into the mirror, and what they are worth into licenses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from keywright.audit import models as actors
from keywright.billing import service as billing
from keywright.billing.models import Invoice, Observation
from keywright.catalog import service as catalog
from keywright.checkout import rules as checkout_rules
from keywright.checkout import service as checkouts
from keywright.contracts import collecting
from keywright.contracts import invoices as contract_invoices
from keywright.contracts.desk import Desk as ContractDesk
from keywright.jobs import service as jobs
from keywright.platform.db import Transaction
from keywright.stripe_sync import grants, histories, inbox, kinds, licenses, owners, rules
from keywright.stripe_sync.failures import failure_of, payment_failed_at
from keywright.stripe_sync.fold import Folded
from keywright.stripe_sync.models import Desk, Ignored, Outcome, Owner, Parked, Processed, StripeEvent

_COMPARE_AFTER = timedelta(minutes=2)


def fold_subscription(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a subscription of the family; issue and judge its licenses."""
    metadata = rules.metadata_of(event)
    if refused := owners.refuse_family(metadata.get("product_family"), desk):
        return refused
    history = histories.load_for(tx, desk, kinds.SUBSCRIPTION, event)
    subscription = history.folded.state
    owner = owners.find_owner(tx, stripe_customer_id=subscription.stripe_customer_id, metadata=metadata)
    if not isinstance(owner, Owner):
        return owner
    bought_by = metadata.get("checkout_session_sid", "")
    challenge = checkouts.find_challenge(tx, customer_sid=owner.customer_sid, checkout_session_sid=bought_by)
    for item in subscription.items:
        if catalog.find_product_of(tx, price_id=item.price_id) is None:
            return licenses.wait_for_price(tx, desk, price_id=item.price_id)
    products = licenses.find_products(tx, desk, grants.terms_of(history))
    if isinstance(products, Parked):
        return products
    if grants.lacks_term(history):
        histories.doubt(tx, history, reason=history.folded.ambiguous or licenses.NO_BEGINNING, now=desk.now)
    billing.mirror_subscription(
        tx, subscription, stamp(history.folded), customer_sid=owner.customer_sid, domain_sid=owner.domain_sid
    )
    unclear = licenses.issue_terms(tx, desk, history, products=products, owner=replace(owner, challenge=challenge))
    licenses.judge_subscription(tx, desk, subscription_id=event.object_id)
    _ask_for_method(tx, desk, subscription.default_payment_method_id)
    inbox.release(tx, waiting_for=f"subscription:{event.object_id}", now=desk.now)
    return unclear or Processed()


def fold_invoice(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror an invoice of the family, and judge the licenses of its subscription."""
    if not event.subject.get("id"):
        return _refuse_invoice(event, desk) or Ignored("the invoice is yet to come")
    history = histories.load_for(tx, desk, kinds.INVOICE, event)
    invoice = history.folded.state
    foreign = _refuse_invoice(event, desk)
    if foreign is not None and (refused := _refuse_subscription(tx, desk, invoice, foreign)):
        return refused
    customer_sid = owners.find_customer_sid(tx, stripe_customer_id=invoice.stripe_customer_id)
    if customer_sid is None:
        return Parked(f"customer:{invoice.stripe_customer_id}")
    if history.folded.deleted:
        billing.remove_invoice(tx, invoice_id=invoice.invoice_id)
    else:
        billing.mirror_invoice(tx, invoice, stamp(history.folded), failure_of(history), customer_sid=customer_sid)
        _request_comparison(tx, desk, invoice)
    if invoice.subscription_id is not None:
        licenses.judge_subscription(tx, desk, subscription_id=invoice.subscription_id)
    if (ours := rules.metadata_of(event).get(collecting.OUR_ID)) is not None and not history.folded.deleted:
        contract_invoices.observe_stripe(
            tx,
            ContractDesk(desk.now, actors.STRIPE),
            invoice_sid=ours,
            stripe_invoice_id=invoice.invoice_id,
            status=invoice.status,
        )
    return Processed()


def fold_session(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a Checkout Session of ours; a one-time purchase that is paid gives its license."""
    metadata = rules.metadata_of(event)
    if refused := owners.refuse_family(metadata.get("product_family"), desk):
        return refused
    history = histories.load_for(tx, desk, kinds.CHECKOUT_SESSION, event)
    session = history.folded.state
    owner = owners.find_owner(tx, stripe_customer_id=session.stripe_customer_id, metadata=metadata)
    if not isinstance(owner, Owner):
        return owner
    observation = stamp(history.folded)
    checkout = checkouts.mirror_session(
        tx,
        session,
        customer_sid=owner.customer_sid,
        checkout_session_sid=metadata.get("checkout_session_sid", ""),
        payment_failed_at=payment_failed_at(history),
        observed_at=observation.observed_at,
        observed_by=observation.observed_by,
        now=desk.now,
    )
    if checkout is None:
        return Ignored("the session belongs to no checkout of ours")
    if session.mode == "payment" and session.payment_status in checkout_rules.PAID:
        waiting = licenses.issue_checkout(tx, desk, checkout, session, owner=owner)
        if waiting is not None:
            return waiting
        licenses.judge_session(tx, desk, stripe_session_id=session.stripe_session_id)
    return Processed()


def _ask_for_method(tx: Transaction, desk: Desk, payment_method_id: str | None) -> None:
    """Have the default payment method fetched if nothing was ever told of it: it was there before we were."""
    if payment_method_id is not None and inbox.find_latest(tx, object_id=payment_method_id) is None:
        histories.request_fetch(
            tx, object_type="payment_method", object_id=payment_method_id, reason="nothing was told of it", now=desk.now
        )


def _request_comparison(tx: Transaction, desk: Desk, invoice: Invoice) -> None:
    """Have a final invoice compared with what its buyer was shown, once the rest of the purchase has been told too."""
    if invoice.finalized_at is not None:
        due_at = desk.now + _COMPARE_AFTER
        payload = {"invoice_id": invoice.invoice_id}
        jobs.enqueue(tx, "price_drift.compare", payload, key=invoice.invoice_id, now=desk.now, due_at=due_at)


def stamp(folded: Folded[Any]) -> Observation:
    """Return which observation a row was set by."""
    return Observation(folded.decided_by.moment, folded.decided_by.event_id)


def _refuse_invoice(event: StripeEvent, desk: Desk) -> Ignored | None:
    return owners.refuse_family(rules.metadata_of(event).get("product_family"), desk)


def _refuse_subscription(tx: Transaction, desk: Desk, invoice: Invoice, refused: Ignored) -> Ignored | Parked | None:
    """Judge an invoice that names no family by its subscription: old API versions leave the metadata out."""
    if invoice.subscription_id is None or refused.reason != "product family none":
        return refused
    family = owners.family_of(tx, object_id=invoice.subscription_id)
    if family is None:
        return Parked(f"subscription:{invoice.subscription_id}")
    return owners.refuse_family(None if family == "none" else family, desk)
