"""Stripe's published test cards: their numbers, their tokens, and how paying with them ends. Pure."""

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
class Decline:
    """Why a bank says no, in Stripe's words for it."""

    code: str = "card_declined"
    decline_code: str = "generic_decline"
    message: str = "Your card was declined."


NOT_AUTHENTICATED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
_NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")


@dataclass(frozen=True)
class Card:
    """
    A test card. Its expiry is fixed, because nothing here depends on it.

    ``outcome`` is for payments with the customer present and ``renewal`` for those without. A card that cannot be
    saved is declined as soon as it is attached to a customer. ``disputes`` is what its bank opens after a payment.
    """

    number: str
    outcome: Outcome
    renewal: Outcome
    token: str
    saves: bool = True
    disputes: str | None = None
    decline: Decline = Decline()
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


_P, _D, _A = Outcome.PAYS, Outcome.DECLINES, Outcome.ASKS
_CARDS = (
    Card("4242424242424242", _P, _P, "visa"),
    Card("5555555555554444", _P, _P, "mastercard", brand="mastercard"),
    Card("4000000000000002", _D, _D, "chargeDeclined", saves=False),
    Card("4000000000009995", _D, _D, "chargeDeclinedInsufficientFunds", saves=False, decline=_NO_FUNDS),
    Card("4000000000000341", _D, _D, "chargeCustomerFail"),
    Card("4000000000000259", _P, _P, "createDispute", disputes="chargeback"),
    Card("4000000000001976", _P, _P, "createDisputeInquiry", disputes="inquiry"),
    Card("4000000000003220", _A, _A, "threeDSecure2Required"),
    Card("4000002760003184", _A, _A, "authenticationRequired"),
    Card("4000002500003155", _A, _P, "authenticationRequiredOnSetup"),
)
_BY_NUMBER = {card.number: card for card in _CARDS}
_BY_FINGERPRINT = {card.fingerprint: card for card in _CARDS}
_BY_TOKEN = {card.token.lower(): card for card in _CARDS}
_TOKEN_PREFIXES = ("pm_card_visa_", "pm_card_", "tok_visa_", "tok_")


def find_card(typed: str) -> Card | None:
    """Return the card for what a person typed; spaces and dashes do not matter."""
    return _BY_NUMBER.get("".join(typed.replace("-", " ").split()))


def find_token(given: str) -> Card | None:
    """Return the card that a test token such as ``pm_card_visa`` or ``tok_visa`` stands for."""
    for prefix in _TOKEN_PREFIXES:
        card = _BY_TOKEN.get(given.removeprefix(prefix).lower()) if given.startswith(prefix) else None
        if card is not None:
            return card
    return None


def card_of(fingerprint: str) -> Card:
    """Return the card behind a payment method."""
    return _BY_FINGERPRINT[fingerprint]
