"""Folds subscriptions, invoices and Checkout Sessions into the mirror, and what they are worth into licenses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from keywright.audit import models as actors
from keywright.billing import service as billing
from keywright.billing.models import Invoice, Observation, Subscription
from keywright.catalog import service as catalog
from keywright.checkout import rules as checkout_rules
from keywright.checkout import service as checkouts
from keywright.checkout.models import PaidSession
from keywright.contracts.desk import Desk as ContractDesk
from keywright.contracts.invoices import collecting
from keywright.contracts.invoices import service as contract_invoices
from keywright.jobs import service as jobs
from keywright.platform.db import Transaction
from keywright.price_drift import service as price_drift
from keywright.stripe_sync import (
    belonging,
    grants,
    histories,
    inbox,
    kinds,
    licenses,
    long_invoices,
    long_subscriptions,
    owners,
)
from keywright.stripe_sync.failures import failure_of, payment_failed_at
from keywright.stripe_sync.fold import Folded
from keywright.stripe_sync.models import Desk, Ignored, Outcome, Owner, Parked, Processed, StripeEvent
from keywright.stripe_sync.observing import History

_COMPARE_AFTER = timedelta(minutes=2)


def fold_subscription(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a subscription that is or was of the family; issue and judge its licenses."""
    name = f"subscription:{event.object_id}"
    # Invoices wait to learn whose it is; one that is not ours tells them that, too.
    inbox.release(tx, waiting_for=name, now=desk.now)
    if refused := owners.refuse_family(tx, desk, event, reconsider_on=name):
        return refused
    history = histories.load_for(tx, desk, kinds.SUBSCRIPTION, event)
    subscription = history.folded.state
    owner = _find_owner(tx, history, subscription.stripe_customer_id)
    if not isinstance(owner, Owner):
        return owner
    inbox.reconsider(tx, reconsider_on=_owner_of(event.object_id), now=desk.now)
    owner = owners.keep_domain(tx, owner, source_ids=grants.item_ids_of(history))
    for item in subscription.items:
        if catalog.find_product_of(tx, price_id=item.price_id) is None:
            return licenses.wait_for_price(tx, desk, price_id=item.price_id)
    products = licenses.find_products(tx, desk, grants.terms_of(history))
    if isinstance(products, Parked):
        return products
    if (doubt := _doubt_of(history)) is not None:
        histories.doubt(tx, history, reason=doubt, now=desk.now)
    billing.mirror_subscription(
        tx, subscription, stamp(history.folded), customer_sid=owner.customer_sid, domain_sid=owner.domain_sid
    )
    unclear = licenses.issue_terms(tx, desk, history, products=products, owner=owner)
    licenses.judge_subscription(tx, desk, subscription_id=event.object_id)
    _ask_for_method(tx, desk, subscription.default_payment_method_id)
    return unclear or Processed()


def fold_invoice(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror an invoice of the family, and judge the licenses of its subscription."""
    if not event.subject.get("id"):
        return Ignored("the invoice is yet to come")
    history = histories.load_for(tx, desk, kinds.INVOICE, event)
    invoice = history.folded.state
    if refused := _refuse_invoice(tx, desk, event, invoice):
        return refused
    customer_sid = owners.find_customer_sid(tx, stripe_customer_id=invoice.stripe_customer_id)
    if customer_sid is None:
        return Parked(f"customer:{invoice.stripe_customer_id}")
    if not invoice.all_lines and not history.folded.deleted:
        histories.doubt(tx, history, reason=history.folded.ambiguous or long_invoices.CUT, now=desk.now)
    if history.folded.deleted:
        billing.remove_invoice(tx, invoice_id=invoice.invoice_id)
    else:
        billing.mirror_invoice(tx, invoice, stamp(history.folded), failure_of(history), customer_sid=customer_sid)
        _request_comparison(tx, desk, invoice)
    if invoice.subscription_id is not None:
        licenses.judge_subscription(tx, desk, subscription_id=invoice.subscription_id)
    collects = belonging.named(history.observations, collecting.OUR_ID)
    if collects and not history.folded.deleted:
        contract_invoices.observe_stripe(
            tx,
            ContractDesk(desk.now, actors.STRIPE),
            invoice_sid=collects[0],
            stripe_invoice_id=invoice.invoice_id,
            status=invoice.status,
        )
    return Processed()


def fold_session(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a Checkout Session of ours; a one-time purchase that is paid gives its license."""
    if refused := owners.refuse_family(tx, desk, event, reconsider_on=f"checkout.session:{event.object_id}"):
        return refused
    history = histories.load_for(tx, desk, kinds.CHECKOUT_SESSION, event)
    session = history.folded.state
    owner = _find_owner(tx, history, session.stripe_customer_id)
    if not isinstance(owner, Owner):
        return owner
    if owner.checkout_session_sid is None:
        return Ignored("the session belongs to no checkout of ours", _owner_of(event.object_id))
    inbox.reconsider(tx, reconsider_on=_owner_of(event.object_id), now=desk.now)
    observation = stamp(history.folded)
    checkout = checkouts.mirror_session(
        tx,
        session,
        customer_sid=owner.customer_sid,
        checkout_session_sid=owner.checkout_session_sid,
        payment_failed_at=payment_failed_at(history),
        observed_at=observation.observed_at,
        observed_by=observation.observed_by,
        now=desk.now,
    )
    if checkout is None:
        return Ignored("the session belongs to no checkout of ours")
    if checkout.subscription_id is None:
        _compare_purchase(tx, desk, session, customer_sid=owner.customer_sid)
    if session.mode == "payment" and session.payment_status in checkout_rules.PAID:
        waiting = licenses.issue_checkout(tx, desk, checkout, session, owner=owner)
        if waiting is not None:
            return waiting
        licenses.judge_session(tx, desk, stripe_session_id=session.stripe_session_id)
    return Processed()


def _find_owner(tx: Transaction, history: History[Any], stripe_customer_id: str | None) -> Owner | Ignored | Parked:
    name = _owner_of(history.object_id)
    return owners.find_owner(
        tx, stripe_customer_id=stripe_customer_id, observations=history.observations, reconsider_on=name
    )


def _doubt_of(history: History[Subscription]) -> str | None:
    """Return why a subscription has to be fetched though its observations agree; None if it has not."""
    if history.folded.ambiguous is not None:
        return None
    if not history.folded.state.all_items:
        return long_subscriptions.CUT
    return licenses.NO_BEGINNING if grants.lacks_term(history) else None


def _owner_of(object_id: str) -> str:
    return f"owner:{object_id}"


def _ask_for_method(tx: Transaction, desk: Desk, payment_method_id: str | None) -> None:
    """Have the default payment method fetched if nothing was ever told of it: it was there before we were."""
    if payment_method_id is not None and inbox.find_latest(tx, object_id=payment_method_id) is None:
        histories.request_fetch(
            tx, object_type="payment_method", object_id=payment_method_id, reason="nothing was told of it", now=desk.now
        )


def _request_comparison(tx: Transaction, desk: Desk, invoice: Invoice) -> None:
    """Have a final invoice compared with what its buyer was shown, once the rest of the purchase has been told too."""
    if invoice.finalized_at is not None and invoice.all_lines:
        due_at = desk.now + _COMPARE_AFTER
        payload = {"invoice_id": invoice.invoice_id}
        jobs.enqueue(tx, "price_drift.compare", payload, key=invoice.invoice_id, now=desk.now, due_at=due_at)


def _compare_purchase(tx: Transaction, desk: Desk, session: PaidSession, *, customer_sid: str) -> None:
    """Have an invoice compared anew that came before its session, when arithmetic was all there was."""
    if session.subscription_id is not None:
        told = {"subscription_id": session.subscription_id, "because_of": session.stripe_session_id}
        price_drift.compare_purchase(tx, customer_sid=customer_sid, **told, now=desk.now)


def stamp(folded: Folded[Any]) -> Observation:
    """Return which observation a row was set by."""
    return Observation(folded.decided_by.moment, folded.decided_by.event_id)


def _refuse_invoice(tx: Transaction, desk: Desk, event: StripeEvent, invoice: Invoice) -> Ignored | Parked | None:
    """
    Judge an invoice by what it names, and by its subscription, which says more.

    Old API versions leave the metadata out, and a subscription that lost its family is billed as ours all the same.
    """
    subscription_id = invoice.subscription_id
    if subscription_id is None:
        return owners.refuse_family(tx, desk, event, reconsider_on=f"invoice:{invoice.invoice_id}")
    name = f"subscription:{subscription_id}"
    refused = owners.refuse_family(tx, desk, event, reconsider_on=name)
    if refused is None:
        inbox.release(tx, waiting_for=name, now=desk.now)
        return None
    ours = owners.was_ever_ours(tx, desk, object_id=subscription_id)
    if ours or refused.reason != owners.NO_FAMILY:
        return None if ours else refused
    if ours is None:
        told = {"object_type": "subscription", "object_id": subscription_id, "reason": "its invoice came first"}
        histories.request_fetch(tx, **told, now=desk.now)
        return Parked(name)
    return owners.refused_as(owners.family_of(tx, object_id=subscription_id), name)
