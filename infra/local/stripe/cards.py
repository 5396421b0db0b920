"""Stripe's published test card numbers, as far as the hosted page knows them. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """What trying to charge a card leads to."""

    PAYS = "pays"
    DECLINES = "declines"
    ASKS = "asks for authentication"


@dataclass(frozen=True)
class Card:
    """A test card. Its expiry is fixed, because nothing here depends on it."""

    number: str
    outcome: Outcome
    brand: str = "visa"
    exp_month: int = 12
    exp_year: int = 2034

    @property
    def last4(self) -> str:
        """Return what a receipt shows of the number."""
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        """Return what two payments with one card have in common."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


_CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242", Outcome.PAYS),
        Card("4000000000000002", Outcome.DECLINES),
        Card("4000002500003155", Outcome.ASKS),
    )
}


def find_card(typed: str) -> Card | None:
    """Return the card for what a person typed; spaces and dashes do not matter."""
    return _CARDS.get("".join(typed.replace("-", " ").split()))
