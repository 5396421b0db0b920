"""An event as stored, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keywright.licensing.dunning import AT_ONCE, DunningPolicy
from keywright.licensing.keys import KeyRing
from keywright.platform.errors import Malformed


@dataclass(frozen=True)
class StripeEvent:
    """
    One event of the inbox. ``body`` is what Stripe sent, byte for byte.

    ``moment`` orders observations of one object: Stripe's ``created``, or the time of our own request. ``after`` are
    the events about the object that were here when we made that request.
    """

    event_id: str
    event_type: str
    object_id: str
    moment: datetime
    api_version: str | None
    livemode: bool
    account_id: str | None
    body: bytes
    subject: Mapping[str, Any]
    previous: Mapping[str, Any] | None
    after: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pending:
    """A stored event that is still to be folded, and how often that was tried."""

    body: bytes
    attempts: int


@dataclass(frozen=True)
class Processed:
    """The event's facts are in the mirror, and what follows from them is committed with this mark."""


@dataclass(frozen=True)
class Ignored:
    """The event is none of our business."""

    reason: str


@dataclass(frozen=True)
class Parked:
    """The event waits for an object that has not been seen yet, such as ``price:price_123``."""

    waiting_for: str


Outcome = Processed | Ignored | Parked


@dataclass(frozen=True, kw_only=True)
class Bench:
    """
    What judging works with: whose products these are, how patient dunning is, and when it is.

    ``account_id`` and ``livemode`` are those of the deployment's Stripe account; None does not check.
    """

    product_family: str
    now: datetime
    policy: DunningPolicy = AT_ONCE
    account_id: str | None = None
    livemode: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Desk(Bench):
    """What folding works with besides: who issues licenses, and the keys that sign them."""

    issuer: str
    keys: KeyRing


@dataclass(frozen=True)
class Owner:
    """Whose subscription, invoice or session it is, and the challenge of the machine that it was bought for."""

    customer_sid: str
    domain_sid: str
    domain_name: str
    challenge: str | None = None


class SignatureInvalid(Malformed):
    """The body is not signed by Stripe for this endpoint, or was signed too long ago or ahead."""

    code = "webhook-signature-invalid"
    title = "The webhook's signature is not valid"


class WebhookInvalid(Malformed):
    """The body is signed and is no Stripe event."""

    code = "webhook-body-invalid"
    title = "The webhook's body is not a Stripe event"


class WebhookTooLarge(Malformed):
    """The body is larger than any Stripe event."""

    code = "webhook-too-large"
    title = "The webhook's body is too large"
