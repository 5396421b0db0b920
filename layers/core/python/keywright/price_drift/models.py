"""A comparison of one billed line, and what all of them show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.paging import Page


class Source(StrEnum):
    """Where the expected amount comes from."""

    PREVIEW = "PREVIEW"
    """What the buyer was shown when the checkout was opened."""
    ENGINE = "ENGINE"
    """What our arithmetic says of the billed price and quantity: renewals, and what nobody was shown here."""


@dataclass(frozen=True)
class Billed:
    """One line as Stripe has it; ``subject_id`` is its invoice or its Checkout Session."""

    subject_id: str
    line_id: str
    customer_sid: str
    price_id: str
    quantity: int
    currency: str
    amount_minor: int


@dataclass(frozen=True)
class Comparison:
    """One line, and what it should have cost."""

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

    @property
    def matched(self) -> bool:
        """Tell whether the two are equal to the minor unit."""
        return self.expected_minor == self.actual_minor


@dataclass(frozen=True)
class Report:
    """How many lines were compared, how many are equal, and those that are not."""

    compared: int
    matched: int
    drift: Page[Comparison]


@dataclass(frozen=True)
class Figures:
    """What is watched: lines of the last two hours that were compared, and those that differ."""

    compared: int
    drifted: int
