"""
Whose an object is, and the gate: other product families are none of our business.

Neither is read from the event that is being folded. What was ever of our family is ours for ever, and a purchase stays
with the domain that it was made for, so that every order of the events gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from keywright.checkout import service as checkouts
from keywright.customers import service as customers
from keywright.domains import service as domains
from keywright.domains.models import Domain, DomainNotFound
from keywright.licensing import service as licensing
from keywright.platform.db import Transaction
from keywright.stripe_sync import belonging, histories, inbox, repository, rules
from keywright.stripe_sync.fold import Observed
from keywright.stripe_sync.models import Bench, Ignored, Owner, Parked, StripeEvent

NO_FAMILY = "product family none"


def refuse_family(
    tx: Transaction, desk: Bench, event: StripeEvent, *, reconsider_on: str, may_name_none: bool = False
) -> Ignored | None:
    """
    Return why an object is refused; None if any event about it was ever of our family.

    What was refused while that was not known is folded again once it is.
    """
    accepted = {desk.product_family, None} if may_name_none else {desk.product_family}
    family = rules.metadata_of(event).get("product_family")
    if family not in accepted:
        told = histories.list_events(tx, desk, object_id=event.object_id)
        if not accepted & belonging.families(told):
            return refused_as(family, reconsider_on)
    inbox.reconsider(tx, reconsider_on=reconsider_on, now=desk.now)
    return None


def refused_as(family: str | None, reconsider_on: str) -> Ignored:
    """Return that an object is refused because it is of this family."""
    return Ignored(f"product family {family or 'none'}", reconsider_on)


def was_ever_ours(tx: Transaction, desk: Bench, *, object_id: str) -> bool | None:
    """Tell whether any event about an object was of our family; None if the object was never seen."""
    told = histories.list_events(tx, desk, object_id=object_id)
    return desk.product_family in belonging.families(told) if told else None


def family_of(tx: Transaction, *, object_id: str) -> str | None:
    """Return the family that the latest stored event about an object names, ``none`` if none; None if unseen."""
    seen = repository.find_latest(tx, object_id=object_id)
    return None if seen is None else rules.metadata_of(rules.read_event(seen)).get("product_family") or "none"


def find_customer_sid(tx: Transaction, *, stripe_customer_id: str | None) -> str | None:
    """Return our customer for Stripe's, or None."""
    customer = customers.find_by_stripe_customer(tx, stripe_customer_id) if stripe_customer_id else None
    return None if customer is None else customer.customer_sid


def find_owner(
    tx: Transaction, *, stripe_customer_id: str | None, observations: Sequence[Observed[Any]], reconsider_on: str
) -> Owner | Ignored | Parked:
    """
    Return whose the object is: Stripe's customer and our domain must belong together.

    The domain is that of the checkout of ours that the object comes from; without one, the first that it ever named.
    """
    if not stripe_customer_id:
        # Such as a session that a stranger began: nothing that comes would say whose it is.
        return Ignored("the object names no customer", reconsider_on)
    customer_sid = find_customer_sid(tx, stripe_customer_id=stripe_customer_id)
    if customer_sid is None:
        return Parked(f"customer:{stripe_customer_id}")
    domain = _first_domain(tx, customer_sid, belonging.named(observations, "domain_sid"))
    if domain is None:
        return Ignored("the object names no domain of its customer", reconsider_on)
    checkout = checkouts.find_first(
        tx,
        customer_sid=customer_sid,
        checkout_session_sids=belonging.named(observations, "checkout_session_sid"),
    )
    if checkout is None:
        return Owner(customer_sid, domain.domain_sid, domain.domain_name)
    domain = domains.get_ever(tx, customer_sid=customer_sid, domain_sid=checkout.domain_sid)
    return Owner(customer_sid, domain.domain_sid, domain.domain_name, checkout.checkout_session_sid, checkout.challenge)


def keep_domain(tx: Transaction, owner: Owner, *, source_ids: list[str]) -> Owner:
    """
    Return the owner with the domain that these sources are licensed for already, if they are.

    A file that went out is not taken back because the beginning was told late; a second license would be worse.
    """
    held = sorted({domain_sid for _, domain_sid in licensing.list_sources(tx, source_ids=source_ids)})
    if not held or owner.domain_sid in held:
        return owner
    domain = _first_domain(tx, owner.customer_sid, held)
    return owner if domain is None else replace(owner, domain_sid=domain.domain_sid, domain_name=domain.domain_name)


def _first_domain(tx: Transaction, customer_sid: str, domain_sids: Iterable[str]) -> Domain | None:
    """Return the first of these domains that is, or was, the customer's."""
    for domain_sid in domain_sids:
        try:
            return domains.get_ever(tx, customer_sid=customer_sid, domain_sid=domain_sid)
        except DomainNotFound:
            continue
    return None
