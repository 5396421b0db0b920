"""A checkout, from the intention to the paid session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.errors import Conflict, NotFound


class CheckoutState(StrEnum):
    """CREATING is our intention before Stripe has answered."""

    CREATING = "CREATING"
    OPEN = "OPEN"
    COMPLETE = "COMPLETE"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True)
class Checkout:
    """
    What is to be bought, by whom and for which domain; ``mode`` is Stripe's: subscription or payment.

    ``challenge`` is that of the machine that an air-gapped license is to be bound to.
    """

    checkout_session_sid: str
    customer_sid: str
    domain_sid: str
    price_id: str
    quantity: int
    mode: str
    amount_minor: int
    currency: str
    state: CheckoutState
    stripe_session_id: str | None
    url: str | None
    created_at: datetime
    challenge: str | None = None


@dataclass(frozen=True)
class Order:
    """All that Stripe must be told to open a session."""

    checkout: Checkout
    stripe_customer_id: str
    product_family: str
    metered: bool


@dataclass(frozen=True)
class StripeSession:
    """What Stripe answered."""

    stripe_session_id: str
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class PaidSession:
    """What Stripe reports of a session: how far it came, and what it led to. ``metadata`` are sorted pairs."""

    stripe_session_id: str
    stripe_customer_id: str | None
    mode: str
    status: str
    payment_status: str
    subscription_id: str | None
    payment_intent_id: str | None
    created_at: datetime
    metadata: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PortalSettings:
    """Where Stripe sends the customer back to."""

    portal_url: str


class CheckoutNotFound(NotFound):
    """The caller has no checkout with this id."""

    code = "checkout-session-not-found"
    title = "There is no such checkout session"


class CustomerNotReady(Conflict):
    """The customer's account at Stripe is still being made, right after the address was verified."""

    code = "customer-not-ready"
    title = "The billing account is not ready yet"
