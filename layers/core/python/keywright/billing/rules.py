"""Reads Stripe's subscription and invoice objects, and decides whether an observation changes the mirror."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from keywright.billing.models import Invoice, Observation, Standing, Subscription, SubscriptionItem
from keywright.platform.clock import from_unix

ENDED = frozenset({"canceled", "incomplete_expired"})
"""The subscription statuses that absorb: nothing comes after them (Stripe documentation, "Subscription statuses")."""

# draft < open < {paid, void, uncollectible}; only an uncollectible invoice may still become paid.
_INVOICE_RANK = {"draft": 0, "open": 1, "uncollectible": 2, "void": 3, "paid": 3}


def read_subscription(stripe: Mapping[str, Any]) -> Subscription:
    """Return the subscription that Stripe's object describes."""
    return Subscription(
        subscription_id=stripe["id"],
        status=stripe["status"],
        cancel_at_period_end=bool(stripe.get("cancel_at_period_end")),
        canceled_at=_moment(stripe.get("canceled_at")),
        ended_at=_moment(stripe.get("ended_at")),
        latest_invoice_id=_id(stripe.get("latest_invoice")),
        created_at=from_unix(stripe["created"]),
        items=tuple(_item(item, stripe) for item in stripe["items"]["data"]),
    )


def read_invoice(stripe: Mapping[str, Any]) -> Invoice:
    """Return the invoice that Stripe's object describes."""
    return Invoice(
        invoice_id=stripe["id"],
        subscription_id=_id(subscription_details(stripe).get("subscription")) or _id(stripe.get("subscription")),
        invoice_number=stripe.get("number"),
        status=stripe["status"],
        currency=stripe["currency"],
        amount_due=stripe["amount_due"],
        amount_paid=stripe["amount_paid"],
        total=stripe["total"],
        attempt_count=stripe.get("attempt_count") or 0,
        created_at=from_unix(stripe["created"]),
        paid_at=_moment((stripe.get("status_transitions") or {}).get("paid_at")),
    )


def subscription_details(invoice: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an invoice says of its subscription; since API 2025-03-31 that stands under ``parent``."""
    parent = invoice.get("parent") or {}
    return parent.get("subscription_details") or invoice.get("subscription_details") or {}


def supersedes(observation: Observation, standing: Standing | None) -> bool:
    """
    Tell whether a subscription observation is newer than what the mirror holds.

    Stripe's times have whole seconds. Inside one second the newer event is the one whose ``previous_attributes``
    name the status that the mirror shows.
    """
    if standing is None:
        return True
    if standing.observed_by == observation.observed_by or standing.status in ENDED:
        return False
    if observation.observed_at != standing.observed_at or observation.final:
        return observation.final or observation.observed_at > standing.observed_at
    return observation.previous is not None and observation.previous.get("status", standing.status) == standing.status


def advances(invoice: Invoice, observation: Observation, standing: Standing | None) -> bool:
    """Tell whether an invoice observation moves the mirror forward on the lattice of invoice statuses."""
    if standing is None:
        return True
    before, after = _INVOICE_RANK[standing.status], _INVOICE_RANK[invoice.status]
    return after > before or (after == before and observation.observed_at >= standing.observed_at)


def _item(item: Mapping[str, Any], subscription: Mapping[str, Any]) -> SubscriptionItem:
    # Until API 2025-03-31 the period stood on the subscription.
    return SubscriptionItem(
        item_id=item["id"],
        price_id=item["price"]["id"],
        quantity=item.get("quantity"),
        current_period_start=from_unix(item.get("current_period_start") or subscription["current_period_start"]),
        current_period_end=from_unix(item.get("current_period_end") or subscription["current_period_end"]),
    )


def _id(reference: object) -> str | None:
    """Return the id of a reference, which Stripe gives plain or expanded."""
    if isinstance(reference, Mapping):
        return str(reference["id"])
    return None if reference is None else str(reference)


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else from_unix(seconds)
