"""A checkout, from the intention to the paid session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from keywright.platform.errors import Conflict, Invalid, NotFound, Unavailable


class CheckoutState(StrEnum):
    """CREATING is our intention before Stripe has answered."""

    CREATING = "CREATING"
    OPEN = "OPEN"
    COMPLETE = "COMPLETE"
    EXPIRED = "EXPIRED"


class Progress(StrEnum):
    """Where a purchase stands, for whoever waits for it."""

    OPEN = "OPEN"
    PAID_PROCESSING = "PAID_PROCESSING"
    LICENSED = "LICENSED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True)
class Checkout:
    """
    What is to be bought, by whom and for which domain; ``mode`` is Stripe's: subscription or payment.

    ``params`` are what Stripe is told, under ``idempotency_key``, first at ``attempted_at``: a repeated call is the
    same call. ``challenge`` is that of the machine that an air-gapped license is to be bound to. ``correlation_id`` is
    that of the request which made the intention; ``params`` hold it too, whoever repeats the call.
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
    product_id: str | None = None
    idempotency_key: str | None = None
    attempt_no: int = 1
    attempted_at: datetime | None = None
    params: str | None = None
    expires_at: datetime | None = None
    failure: str | None = None
    subscription_id: str | None = None
    payment_failed_at: datetime | None = None
    payment_status: str | None = None
    challenge: str | None = None
    correlation_id: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What a buyer asks for. The amount is none of it: that is computed here."""

    domain_sid: str
    price_id: str
    quantity: int | None = None
    currency: str | None = None
    challenge: str | None = None


@dataclass(frozen=True)
class Order:
    """All that Stripe must be told to open a session."""

    checkout: Checkout
    stripe_customer_id: str


class Next(StrEnum):
    """What has to happen at Stripe before the buyer can be answered."""

    NOTHING = "NOTHING"
    """The session is open already, with these terms."""
    OPEN = "OPEN"
    """Open the session; repeating a call whose outcome is unknown is the same as making it."""
    SETTLE = "SETTLE"
    """Another session for the same domain and product must be ended first, or be found to be paid."""


@dataclass(frozen=True)
class Plan:
    """What to do next, with which order."""

    next: Next
    order: Order


@dataclass(frozen=True)
class Result:
    """The license that a checkout led to."""

    license_sid: str
    state: str
    kind: str
    expires_at: datetime | None


@dataclass(frozen=True)
class StripeSession:
    """What Stripe answered. ``subject`` is its object as a whole; ``subtotal`` is before tax and discounts."""

    stripe_session_id: str
    url: str | None
    expires_at: datetime
    status: str = "open"
    subtotal: int | None = None
    subject: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)


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


class CheckoutNotFound(NotFound):
    """The caller has no checkout with this id."""

    code = "checkout-session-not-found"
    title = "There is no such checkout session"


class CustomerNotReady(Conflict):
    """The customer's account at Stripe is still being made, right after the address was verified."""

    code = "customer-not-ready"
    title = "The billing account is not ready yet"


class AlreadyLicensed(Conflict):
    """The domain has a license of this product, and a second one would be paid for nothing."""

    code = "already-licensed"
    title = "The domain is licensed already"


class PurchaseInProgress(Conflict):
    """The same was paid a moment ago, and its license is on its way."""

    code = "purchase-in-progress"
    title = "The purchase is in progress"


class DomainNotVerified(Conflict):
    """The product is sold for proven domains only."""

    code = "domain-not-verified"
    title = "The domain is not verified"


class CheckoutRefused(Conflict):
    """Stripe refuses to open a session with these terms."""

    code = "checkout-refused"
    title = "The checkout was refused"


class AmountTooLarge(Invalid):
    """The amount has more digits than Stripe takes in one charge."""

    code = "amount-too-large"
    title = "The amount is too large"


class ReturnUrlRefused(Invalid):
    """The address to return to is on none of the origins that the deployment names."""

    code = "return-url-refused"
    title = "The return address is not allowed"


class PortalRefused(Conflict):
    """Stripe does not let this customer into its portal."""

    code = "portal-refused"
    title = "The customer portal was refused"


class PortalNotConfigured(Unavailable):
    """Nobody has said what customers may do in Stripe's portal."""

    code = "portal-not-configured"
    title = "The customer portal is not set up"


class SessionAbsent(LookupError):
    """Stripe has no session of the checkout: proven by its list, which shows a session as soon as it exists."""


class SessionRefused(Exception):
    """Stripe will not open the session, however often it is asked; the message is for the buyer."""
