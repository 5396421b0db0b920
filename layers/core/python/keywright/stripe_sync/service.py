"""
The fold: one stored event becomes mirror rows, licenses, audit rows and jobs, all in one transaction.

Folding an event twice, late or in another order gives the same rows: each step asks the mirror what it knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from keywright.billing import rules as billing_rules
from keywright.billing import service as billing
from keywright.billing.models import Observation, Subscription
from keywright.catalog import service as catalog
from keywright.catalog.models import LicenseKind, Product
from keywright.checkout import service as checkouts
from keywright.customers import service as customers
from keywright.domains import service as domains
from keywright.domains.models import DomainNotFound
from keywright.licensing import rules as licensing_rules
from keywright.licensing import service as licensing
from keywright.licensing.models import SigningKey
from keywright.platform.db import Transaction
from keywright.stripe_sync import inbox, repository, rules
from keywright.stripe_sync.models import Ignored, Outcome, Owner, Parked, Processed, StripeEvent

MAX_ATTEMPTS = 20
_RETRY_AFTER = timedelta(seconds=30)


@dataclass(frozen=True)
class Desk:
    """What the fold works with: whose products these are, who signs, and when it is."""

    product_family: str
    issuer: str
    key: SigningKey
    now: datetime


def process(tx: Transaction, desk: Desk, *, event_id: str) -> Outcome | None:
    """Fold a stored event and mark it, in this one transaction; None if there was nothing left to do."""
    pending = repository.lock_pending(tx, event_id=event_id)
    if pending is None:
        return None
    outcome = _fold(tx, desk, rules.read_event(pending.body))
    wait = rules.look_again_after(pending.attempts)
    repository.finish(tx, event_id=event_id, outcome=outcome, due_at=desk.now + wait)
    if isinstance(outcome, Parked):
        # What it waits for may be in another transaction right now, which does not see that we park.
        inbox.hint_later(tx, event_id=event_id, wait=wait)
    return outcome


def record_failure(tx: Transaction, *, event_id: str, reason: str, now: datetime) -> None:
    """Count a fold that failed, after its transaction rolled back; the dispatcher tries again, up to a limit."""
    repository.fail(tx, event_id=event_id, reason=reason[:500], due_at=now + _RETRY_AFTER, max_attempts=MAX_ATTEMPTS)


def _fold(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    fold = _FOLDS.get(event.subject.get("object", ""))
    return Ignored(f"events about {event.event_type} change nothing here") if fold is None else fold(tx, desk, event)


def _fold_product(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    family = rules.metadata_of(event).get("product_family")
    known = catalog.find_product(tx, product_id=event.object_id)
    inbox.release(tx, waiting_for=f"product:{event.object_id}")
    if family != desk.product_family and known is None:
        return Ignored(f"product family {family or 'none'}")
    catalog.observe_product(tx, event.subject, at=event.moment)
    return Processed()


def _fold_price(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    product_id = event.subject["product"]
    if catalog.find_product(tx, product_id=product_id) is None:
        # Not in the mirror: of another family, or not seen yet. The inbox knows.
        seen = repository.find_latest(tx, object_id=product_id)
        family = None if seen is None else rules.metadata_of(rules.read_event(seen)).get("product_family", "none")
        if family not in {None, desk.product_family}:
            return Ignored(f"product family {family}")
        catalog.request_price(tx, price_id=event.object_id, now=desk.now)
        return Parked(f"product:{product_id}")
    catalog.observe_price(tx, event.subject, at=event.moment, now=desk.now)
    inbox.release(tx, waiting_for=f"price:{event.object_id}")
    return Processed()


def _fold_subscription(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    if (family := rules.metadata_of(event).get("product_family")) != desk.product_family:
        return Ignored(f"product family {family or 'none'}")
    owner = _find_owner(tx, event)
    if not isinstance(owner, Owner):
        return owner
    subscription = billing_rules.read_subscription(event.subject)
    products = _products(tx, subscription, now=desk.now)
    if isinstance(products, Parked):
        return products
    observation = Observation(
        event.moment, event.event_id, event.previous, final=subscription.status in billing_rules.ENDED
    )
    newer = billing.observe_subscription(
        tx, subscription, observation, customer_sid=owner.customer_sid, domain_sid=owner.domain_sid
    )
    if newer:
        _license_items(tx, desk, subscription, products=products, owner=owner)
    return Processed()


def _products(
    tx: Transaction, subscription: Subscription, *, now: datetime
) -> dict[str, tuple[Product, LicenseKind | None]] | Parked:
    """Return the product behind each item's price; park the event while one was never seen."""
    products = {}
    for item in subscription.items:
        found = catalog.find_product_of(tx, price_id=item.price_id)
        if found is None:
            catalog.request_price(tx, price_id=item.price_id, now=now)
            return Parked(f"price:{item.price_id}")
        products[item.price_id] = found
    return products


def _license_items(
    tx: Transaction,
    desk: Desk,
    subscription: Subscription,
    *,
    products: dict[str, tuple[Product, LicenseKind | None]],
    owner: Owner,
) -> None:
    state = licensing_rules.state_of_subscription(subscription.status)
    if state is None:
        return
    for item in subscription.items:
        product, kind = products[item.price_id]
        if kind is not None and product.product_family == desk.product_family:
            grant = rules.grant_for_item(subscription, item, product=product, kind=kind, owner=owner, state=state)
            licensing.apply(tx, grant, key=desk.key, issuer=desk.issuer, now=desk.now)


def _fold_invoice(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    if (family := rules.metadata_of(event).get("product_family")) != desk.product_family:
        return Ignored(f"product family {family or 'none'}")
    if not event.subject.get("id"):
        return Ignored("the invoice is yet to come")
    customer = customers.find_by_stripe_customer(tx, event.subject["customer"])
    if customer is None:
        return Parked(f"customer:{event.subject['customer']}")
    observation = Observation(event.moment, event.event_id, event.previous)
    invoice = billing_rules.read_invoice(event.subject)
    billing.observe_invoice(tx, invoice, observation, customer_sid=customer.customer_sid)
    return Processed()


def _fold_session(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    metadata, session = rules.metadata_of(event), event.subject
    if (family := metadata.get("product_family")) != desk.product_family:
        return Ignored(f"product family {family or 'none'}")
    owner = _find_owner(tx, event)
    if not isinstance(owner, Owner):
        return owner
    checkout = checkouts.observe_session(
        tx,
        customer_sid=owner.customer_sid,
        checkout_session_sid=metadata.get("checkout_session_sid", ""),
        stripe_session_id=session["id"],
        status=session["status"],
    )
    if checkout is None:
        return Ignored("the session belongs to no checkout of ours")
    if session["mode"] == "payment" and session["payment_status"] in rules.PAID:
        product, kind = catalog.find_product_of(tx, price_id=checkout.price_id) or (None, None)
        if product is None or kind is None:
            catalog.request_price(tx, price_id=checkout.price_id, now=desk.now)
            return Parked(f"price:{checkout.price_id}")
        grant = rules.grant_for_checkout(checkout, session, product=product, kind=kind, owner=owner)
        licensing.apply(tx, grant, key=desk.key, issuer=desk.issuer, now=desk.now)
    return Processed()


def _find_owner(tx: Transaction, event: StripeEvent) -> Owner | Ignored | Parked:
    """Return whose the object is: Stripe's customer and our domain must belong together."""
    stripe_customer_id = event.subject["customer"]
    customer = customers.find_by_stripe_customer(tx, stripe_customer_id)
    if customer is None:
        return Parked(f"customer:{stripe_customer_id}")
    domain_sid = rules.metadata_of(event).get("domain_sid", "")
    try:
        domain = domains.get_domain(tx, customer_sid=customer.customer_sid, domain_sid=domain_sid)
    except DomainNotFound:
        return Ignored("the object names no domain of its customer")
    return Owner(customer.customer_sid, domain_sid, domain.domain_name)


_FOLDS = {
    "product": _fold_product,
    "price": _fold_price,
    "subscription": _fold_subscription,
    "invoice": _fold_invoice,
    "checkout.session": _fold_session,
}
