"""A comparison of what was billed, why one was not made, and what all of them show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.errors import Conflict
from keywright.platform.paging import Page


class Source(StrEnum):
    """Where the expected amount comes from."""

    PREVIEW = "PREVIEW"
    """What the buyer was shown when the checkout was opened."""
    ENGINE = "ENGINE"
    """What our arithmetic says of the billed price and quantity: renewals, usage, and what nobody was shown here."""


class Reason(StrEnum):
    """Why something that was billed was not compared."""

    PRICE_UNKNOWN = "PRICE_UNKNOWN"
    TIERS_MISSING = "TIERS_MISSING"
    CURRENCY_NOT_OFFERED = "CURRENCY_NOT_OFFERED"
    PRICE_UNSUPPORTED = "PRICE_UNSUPPORTED"
    QUANTITY_INVALID = "QUANTITY_INVALID"
    QUANTITY_MISSING = "QUANTITY_MISSING"
    PRORATION = "PRORATION"
    TRIAL = "TRIAL"
    ADDED_BY_HAND = "ADDED_BY_HAND"
    NOT_USED_YET = "NOT_USED_YET"


@dataclass(frozen=True)
class Billed:
    """
    What Stripe billed for one price and period; ``subject_id`` is its invoice or its Checkout Session.

    It may stand there in several ``parts``, such as a line for each tier. ``unused``: nothing, at the beginning of the
    period, which is how Stripe announces what usage will decide.
    """

    subject_id: str
    line_id: str
    customer_sid: str
    price_id: str | None
    quantity: int | None
    currency: str
    amount_minor: int
    parts: int = 1
    unused: bool = False


@dataclass(frozen=True)
class Shown:
    """What the buyer was shown; an ``estimate`` where usage decides what is billed."""

    price_id: str
    quantity: int
    currency: str
    amount_minor: int
    price_fingerprint: str
    engine_version: str
    estimate: bool = False


@dataclass(frozen=True)
class Comparison:
    """What was billed, and what it should have been; the ``shown`` fields are set where somebody was shown it."""

    subject_id: str
    line_id: str
    customer_sid: str
    price_id: str
    quantity: int
    currency: str
    source: Source
    expected_minor: int
    actual_minor: int
    price_fingerprint: str
    engine_version: str
    compared_at: datetime
    parts: int = 1
    shown_price_id: str | None = None
    shown_quantity: int | None = None
    shown_currency: str | None = None

    @property
    def matched(self) -> bool:
        """Tell whether the amounts are equal to the minor unit, and the terms are those that were shown."""
        billed = (self.price_id, self.quantity, self.currency)
        shown = (self.shown_price_id, self.shown_quantity, self.shown_currency)
        same_terms = self.source is Source.ENGINE or billed == shown
        return same_terms and self.expected_minor == self.actual_minor


@dataclass(frozen=True)
class Uncompared:
    """What was billed and not compared, and why."""

    subject_id: str
    line_id: str
    customer_sid: str
    price_id: str | None
    quantity: int | None
    currency: str
    actual_minor: int
    parts: int
    reason: Reason
    detail: str | None
    found_at: datetime


@dataclass(frozen=True)
class Verdict:
    """What was found out about an invoice just now; ``awaited`` are the prices that are not known in full yet."""

    compared: tuple[Comparison, ...]
    uncompared: tuple[Uncompared, ...]
    awaited: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """How much was compared, how much of it is equal, how much was not compared and why, and what differs."""

    compared: int
    matched: int
    uncompared: Mapping[Reason, int]
    drift: Page[Comparison]


@dataclass(frozen=True)
class Figures:
    """What is watched of the last two hours: what was compared, what of it differs, and what could not be computed."""

    compared: int
    drifted: int
    uncompared: int


class PriceAwaited(Conflict):
    """An invoice names prices that are not known in full yet; they were asked for."""

    code = "price-awaited"
    title = "A price is not known in full yet"
