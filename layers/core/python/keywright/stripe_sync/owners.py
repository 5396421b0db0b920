"""Whose an object is, and the gate: other product families are none of our business."""

from __future__ import annotations

from collections.abc import Mapping

from keywright.customers import service as customers
from keywright.domains import service as domains
from keywright.domains.models import DomainNotFound
from keywright.platform.db import Transaction
from keywright.stripe_sync import repository, rules
from keywright.stripe_sync.models import Bench, Ignored, Owner, Parked


def refuse_family(family: str | None, desk: Bench) -> Ignored | None:
    """Return why a product family is refused; None if it is ours."""
    return None if family == desk.product_family else Ignored(f"product family {family or 'none'}")


def family_of(tx: Transaction, *, object_id: str) -> str | None:
    """Return the family that the latest stored event about an object names, ``none`` if none; None if unseen."""
    seen = repository.find_latest(tx, object_id=object_id)
    return None if seen is None else rules.metadata_of(rules.read_event(seen)).get("product_family") or "none"


def find_customer_sid(tx: Transaction, *, stripe_customer_id: str | None) -> str | None:
    """Return our customer for Stripe's, or None."""
    customer = customers.find_by_stripe_customer(tx, stripe_customer_id) if stripe_customer_id else None
    return None if customer is None else customer.customer_sid


def find_owner(
    tx: Transaction, *, stripe_customer_id: str | None, metadata: Mapping[str, str]
) -> Owner | Ignored | Parked:
    """Return whose the object is: Stripe's customer and our domain must belong together."""
    customer_sid = find_customer_sid(tx, stripe_customer_id=stripe_customer_id)
    if customer_sid is None:
        return Parked(f"customer:{stripe_customer_id}")
    domain_sid = metadata.get("domain_sid", "")
    try:
        domain = domains.get_ever(tx, customer_sid=customer_sid, domain_sid=domain_sid)
    except DomainNotFound:
        return Ignored("the object names no domain of its customer")
    return Owner(customer_sid, domain_sid, domain.domain_name)
