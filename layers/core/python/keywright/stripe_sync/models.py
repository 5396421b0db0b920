"""An event as stored, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from keywright.licensing.dunning import AT_ONCE, DunningPolicy
from keywright.licensing.keys.ring import KeyRing
from keywright.platform.errors import Conflict, Malformed, NotFound


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


class EntrySource(StrEnum):
    """How an entry came into the inbox first: Stripe delivered it, we found it in Stripe's list, or we fetched it."""

    WEBHOOK = "WEBHOOK"
    LISTED = "LISTED"
    OBSERVED = "OBSERVED"


@dataclass(frozen=True)
class Headers:
    """
    What a delivery said besides its body.

    ``signed_at`` is in Unix seconds. ``signatures`` says how many there were of each scheme, and not which: who holds
    one has what was sent to us. ``request_id`` is API Gateway's.
    """

    signed_at: int
    signatures: Mapping[str, int]
    user_agent: str | None
    request_id: str | None


@dataclass(frozen=True)
class Arrival:
    """How an entry came; only a delivery has headers."""

    source: EntrySource
    headers: Headers | None = None


@dataclass(frozen=True)
class Pending:
    """A stored event that is still to be folded, how often it was looked at, and how often in a row that failed."""

    body: bytes
    attempts: int
    failures: int


@dataclass(frozen=True)
class Processed:
    """The event's facts are in the mirror, and what follows from them is committed with this mark."""


@dataclass(frozen=True)
class Ignored:
    """The event is none of our business; it may become so with another object, such as ``product:prod_123``."""

    reason: str
    reconsider_on: str | None = None


@dataclass(frozen=True)
class Parked:
    """The event waits for an object that has not been seen yet, such as ``price:price_123``."""

    waiting_for: str


Outcome = Processed | Ignored | Parked


@dataclass(frozen=True, kw_only=True)
class Bench:
    """
    What judging works with: whose products these are, how patient dunning is, and when it is.

    ``account_id`` and ``livemode`` are those of the deployment's Stripe account. Without the first, an event that names
    an account is not ours; without the second, the mode is not checked.
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
    """Whose subscription or session it is, and by which checkout and for which machine's challenge it was bought."""

    customer_sid: str
    domain_sid: str
    domain_name: str
    checkout_session_sid: str | None = None
    challenge: str | None = None


class WorkState(StrEnum):
    """What became of a stored event. RECEIVED and PARKED ones are still to be folded, DEAD ones were given up."""

    RECEIVED = "RECEIVED"
    PROCESSED = "PROCESSED"
    IGNORED = "IGNORED"
    PARKED = "PARKED"
    DEAD = "DEAD"


@dataclass(frozen=True)
class EventRecord:
    """
    A stored event as staff sees it; ``created_at`` is Stripe's time, ``received_at`` ours.

    How events came is kept since some release; those from before have neither ``source`` nor ``headers``.
    """

    event_id: str
    event_type: str
    object_id: str
    state: WorkState
    reason: str | None
    waiting_for: str | None
    attempts: int
    failures: int
    due_at: datetime
    received_at: datetime
    created_at: datetime
    source: EntrySource | None
    headers: Headers | None


@dataclass(frozen=True)
class EventSelection:
    """Which events to list; None leaves a question open."""

    state: WorkState | None = None
    event_type: str | None = None
    object_id: str | None = None


@dataclass(frozen=True)
class EventFigures:
    """The inbox in numbers: given up, waiting for something, and since when the oldest wait for that or for us."""

    dead: int
    parked: int
    parked_age_s: int
    wait_s: int


class EventNotFound(NotFound):
    """No event of Stripe's with this id was stored."""

    code = "stripe-event-not-found"
    title = "The event was not found"


class EventNotRetryable(Conflict):
    """The event is on its way or done: folding it again would change nothing."""

    code = "stripe-event-not-retryable"
    title = "The event cannot be folded again"


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
