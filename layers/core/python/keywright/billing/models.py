"""The mirrored objects, in one internal shape whatever API version they came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class SubscriptionItem:
    """One price of a subscription, and the period that is running."""

    item_id: str
    price_id: str
    quantity: int | None
    current_period_start: datetime
    current_period_end: datetime


@dataclass(frozen=True)
class Subscription:
    """A Stripe subscription."""

    subscription_id: str
    status: str
    cancel_at_period_end: bool
    canceled_at: datetime | None
    ended_at: datetime | None
    latest_invoice_id: str | None
    created_at: datetime
    items: tuple[SubscriptionItem, ...]


@dataclass(frozen=True)
class Invoice:
    """A Stripe invoice; amounts are minor units of its currency."""

    invoice_id: str
    subscription_id: str | None
    invoice_number: str | None
    status: str
    currency: str
    amount_due: int
    amount_paid: int
    total: int
    attempt_count: int
    created_at: datetime
    paid_at: datetime | None


@dataclass(frozen=True)
class Observation:
    """
    What was seen of an object, and when: ``observed_by`` is the event.

    ``previous`` is the event's ``previous_attributes``: what the changed fields were before it; None for events that
    do not follow a state.
    """

    observed_at: datetime
    observed_by: str
    previous: Mapping[str, Any] | None
    final: bool = False


@dataclass(frozen=True)
class Standing:
    """What a row was last set by, and the fields that a chain of changes is checked against."""

    observed_at: datetime
    observed_by: str
    status: str
