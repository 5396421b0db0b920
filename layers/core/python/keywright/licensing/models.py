"""A license, what it comes from, and the file that proves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.catalog.models import LicenseKind
from keywright.platform.errors import Conflict, NotFound


class LicenseState(StrEnum):
    """Where a license stands. RESTRICTED is lifted by payment; CANCELED, EXPIRED and REVOKED are ends."""

    ACTIVE = "ACTIVE"
    RESTRICTED = "RESTRICTED"
    SUSPENDED = "SUSPENDED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


class SourceKind(StrEnum):
    """What was paid for."""

    SUBSCRIPTION_ITEM = "SUBSCRIPTION_ITEM"
    CHECKOUT_SESSION = "CHECKOUT_SESSION"
    CONTRACT_SUBSCRIPTION = "CONTRACT_SUBSCRIPTION"


@dataclass(frozen=True)
class Grant:
    """
    What a paid thing entitles to, as the folded state says. Equal grants give equal licenses, byte for byte.

    ``began_at`` is when the thing itself began (the id's time); ``period_start`` and ``period_end`` bound what is
    paid, and ``is_first`` says that nothing was paid before; ``cause`` names the facts behind it for whoever reads the
    license. ``challenge`` is that of the machine that it was bought for.
    """

    source_kind: SourceKind
    source_id: str
    customer_sid: str
    domain_sid: str
    domain_name: str
    product_id: str
    product_name: str
    product_family: str
    product_metadata: Mapping[str, str]
    kind: LicenseKind
    state: LicenseState
    began_at: datetime
    period_start: datetime
    period_end: datetime
    cause: Mapping[str, str | int]
    is_first: bool = True
    challenge: str | None = None


@dataclass(frozen=True)
class Source:
    """The paid thing behind a license, and the domain that it is for: together they name one license."""

    kind: SourceKind
    source_id: str
    domain_sid: str


class Rule(StrEnum):
    """Why a license stands where it does."""

    PAID = "paid"
    PAYMENT_FAILED = "payment-failed"
    INVOICE_OVERDUE = "invoice-overdue"
    SUBSCRIPTION_PAST_DUE = "subscription-past-due"
    SUBSCRIPTION_PAUSED = "subscription-paused"
    COLLECTION_PAUSED = "collection-paused"
    PAYMENT_DISPUTED = "payment-disputed"
    TERM_ENDED = "term-ended"
    SUBSCRIPTION_CANCELED = "subscription-canceled"
    ITEM_REMOVED = "item-removed"
    PAYMENT_REFUNDED = "payment-refunded"
    DISPUTE_LOST = "dispute-lost"
    STAFF_REVOKED = "staff-revoked"
    CONTRACT_PAUSED = "contract-paused"
    CONTRACT_SUSPENDED = "contract-suspended"
    CONTRACT_TERMINATED = "contract-terminated"


@dataclass(frozen=True)
class Cause:
    """One reason for a license's state: the rule, the Stripe object it looked at, and since when it holds."""

    rule: Rule
    subject: str
    effective_at: datetime


def named_causes(text: str | None) -> tuple[Cause, ...]:
    """Return the causes that a stored text names, the deciding one first."""
    entries = json.loads(text) if text else []
    return tuple(Cause(Rule(rule), subject, datetime.fromisoformat(at)) for rule, subject, at in entries)


@dataclass(frozen=True)
class Standing:
    """A license's state, its causes with the deciding one first, and when time alone may change it."""

    state: LicenseState
    causes: tuple[Cause, ...]
    review_at: datetime | None


@dataclass(frozen=True)
class Purchase:
    """
    What Stripe says of the thing that was bought: a subscription's item, or a paid session (``is_one_time``).

    ``status`` is the subscription's, ``paid`` for a session; ``observed_at`` is when Stripe last told of it.
    """

    source: str
    is_one_time: bool
    began_at: datetime
    status: str
    status_since: datetime
    observed_at: datetime
    ended_at: datetime | None = None
    removed_at: datetime | None = None
    collection_paused_at: datetime | None = None


@dataclass(frozen=True)
class License:
    """A license as its owner sees it."""

    license_sid: str
    customer_sid: str
    domain_sid: str
    domain_name: str
    product_id: str
    product_name: str
    kind: LicenseKind
    usage_based: bool
    state: LicenseState
    current_seq: int
    expires_at: datetime
    created_at: datetime
    source_kind: SourceKind
    source_id: str
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True)
class Held:
    """The part of a stored license that decisions look at; the row is locked."""

    license_sid: str
    state: LicenseState
    current_seq: int
    expires_at: datetime | None = None
    causes: tuple[Cause, ...] = ()
    review_at: datetime | None = None


@dataclass(frozen=True)
class GivenCause:
    """A cause that somebody decided on, and Stripe does not tell of; a lifted one holds no more and is kept."""

    cause: Cause
    observed_at: datetime
    note: str | None
    lifted_at: datetime | None


@dataclass(frozen=True)
class Draft:
    """Claims that are ready to be signed, and the number and the times they carry."""

    seq: int
    issued_at: datetime
    expires_at: datetime
    claims: Mapping[str, object]


@dataclass(frozen=True)
class File:
    """A file that was signed."""

    seq: int
    kid: str
    token: str
    expires_at: datetime
    issued_at: datetime


@dataclass(frozen=True)
class DueReview:
    """A license whose standing time alone may have changed, and what it was bought with."""

    license_sid: str
    source_kind: SourceKind
    source_id: str
    domain_sid: str
    review_at: datetime


class LicenseNotFound(NotFound):
    """The caller owns no license with this id."""

    code = "license-not-found"
    title = "There is no such license"


class LicenseRevoked(Conflict):
    """The license was revoked; nothing is issued for it any more."""

    code = "license-revoked"
    title = "The license was revoked"


class LicenseEnded(Conflict):
    """The license has come to its end and cannot be issued anew."""

    code = "license-ended"
    title = "The license has ended"


class LicenseFileNotReady(Conflict):
    """The license's file is being signed."""

    code = "license-file-not-ready"
    title = "The license file is not ready yet"
