"""
Reads events, and decides what concerns us. Pure: the same bytes always mean the same.

The metadata gate: products carry ``product_family``, and what Checkout creates for us carries our own ids too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from keywright.billing.models import Subscription, SubscriptionItem
from keywright.billing.rules import subscription_details
from keywright.catalog.models import LicenseKind, Product
from keywright.checkout.models import Checkout
from keywright.licensing.models import Grant, LicenseState, SourceKind
from keywright.platform.clock import from_unix, to_unix
from keywright.stripe_sync.models import Owner, StripeEvent, WebhookInvalid

OBSERVATION = "keywright.observation"
"""The event type of an object that we fetched ourselves; it goes through the same inbox."""

PAID = frozenset({"paid", "no_payment_required"})

_LONGEST_ID = 255


def read_event(body: bytes) -> StripeEvent:
    """
    Return the event that the bytes describe.

    :raises WebhookInvalid: if they are not JSON, or not an event about an object
    """
    try:
        event = json.loads(body)
        subject = event["data"]["object"]
        return StripeEvent(
            event_id=_identifier(event["id"]),
            event_type=_identifier(event["type"]),
            # A balance has no id, nor has an invoice that is yet to come.
            object_id=_identifier(subject.get("id") or "none"),
            moment=_moment(event),
            api_version=event.get("api_version"),
            livemode=bool(event["livemode"]),
            account_id=event.get("account"),
            body=body,
            subject=subject,
            previous=event["data"].get("previous_attributes"),
        )
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError) as problem:
        raise WebhookInvalid("The body is not a Stripe event.") from problem


def observation_event(subject: Mapping[str, Any], *, at: datetime) -> bytes:
    """Return the body of the inbox entry for an object that we fetched; ``at`` is when we asked."""
    microseconds = int(at.timestamp() * 1_000_000)
    event = {
        "id": f"obs_{microseconds}_{subject['id']}",
        "object": "event",
        "type": OBSERVATION,
        "created": to_unix(at),
        "observed_at_us": microseconds,
        "livemode": subject.get("livemode", False),
        "data": {"object": subject},
    }
    return json.dumps(event, sort_keys=True, default=_as_stripe_sent).encode()


def look_again_after(attempts: int) -> timedelta:
    """Return how long a parked event rests before it is looked at again, even if nothing releases it."""
    return min(timedelta(seconds=1 << min(attempts, 20)), timedelta(hours=6))


def metadata_of(event: StripeEvent) -> Mapping[str, str]:
    """Return the metadata that ties the event's object to ours; an invoice shows that of its subscription."""
    own = event.subject.get("metadata") or {}
    if event.subject.get("object") != "invoice":
        return own
    return {**own, **(subscription_details(event.subject).get("metadata") or {})}


def grant_for_item(
    subscription: Subscription,
    item: SubscriptionItem,
    *,
    product: Product,
    kind: LicenseKind,
    owner: Owner,
    state: LicenseState,
) -> Grant:
    """Return what an item of a subscription entitles to in its running period."""
    return Grant(
        source_kind=SourceKind.SUBSCRIPTION_ITEM,
        source_id=item.item_id,
        customer_sid=owner.customer_sid,
        domain_sid=owner.domain_sid,
        domain_name=owner.domain_name,
        product_id=product.product_id,
        product_name=product.name,
        product_family=product.product_family or "",
        product_metadata=product.metadata,
        kind=kind,
        state=state,
        began_at=subscription.created_at,
        period_start=item.current_period_start,
        period_end=item.current_period_end,
        cause={
            "subscription": subscription.subscription_id,
            "item": item.item_id,
            "period_start": to_unix(item.current_period_start),
            "period_end": to_unix(item.current_period_end),
        },
    )


def grant_for_checkout(
    checkout: Checkout, session: Mapping[str, Any], *, product: Product, kind: LicenseKind, owner: Owner
) -> Grant:
    """Return what a paid one-time Checkout Session entitles to. Its own creation is the time that never changes."""
    created_at = from_unix(session["created"])
    return Grant(
        source_kind=SourceKind.CHECKOUT_SESSION,
        source_id=session["id"],
        customer_sid=owner.customer_sid,
        domain_sid=owner.domain_sid,
        domain_name=owner.domain_name,
        product_id=product.product_id,
        product_name=product.name,
        product_family=product.product_family or "",
        product_metadata=product.metadata,
        kind=kind,
        state=LicenseState.ACTIVE,
        began_at=created_at,
        period_start=created_at,
        period_end=created_at,
        cause={"checkout_session": session["id"], "price": checkout.price_id, "created": to_unix(created_at)},
    )


def _as_stripe_sent(value: object) -> str:
    # Stripe's client reads decimal strings into Decimal; the inbox keeps what went over the wire.
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"{type(value).__name__} is nothing that Stripe sends")


def _moment(event: Mapping[str, Any]) -> datetime:
    moment = from_unix(int(event["created"]))
    if event["type"] == OBSERVATION:
        return moment + timedelta(microseconds=int(event["observed_at_us"]) % 1_000_000)
    return moment


def _identifier(value: object) -> str:
    if not isinstance(value, str) or not value.isascii() or not value or len(value) > _LONGEST_ID:
        raise TypeError("not an identifier")
    return value
