"""How the account bills: what a vendor sets on Stripe's dashboard, and how its customers' cards behave."""

from __future__ import annotations

from dataclasses import dataclass, field

from infra.local.stripe.cards import Outcome

AFTER_RETRIES = ("canceled", "unpaid", "past_due")
_MINIMUM_CHARGE = 50
# Stripe's smallest charge in minor units, where it is not 50.
_MINIMUM_CHARGES = {
    "aed": 200,
    "czk": 1500,
    "dkk": 250,
    "gbp": 30,
    "hkd": 400,
    "huf": 17_500,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "thb": 1000,
}


@dataclass
class BillingSettings:
    """
    The settings in force. The control API changes them; the API itself never does.

    ``retry_days`` are the waits between the attempts to collect an invoice, and ``after_retries`` is what a
    subscription becomes when the last of them fails.
    """

    finalize_after_s: int = 3600
    incomplete_life_s: int = 23 * 3600
    retry_days: tuple[int, ...] = (3, 5, 7, 6)
    after_retries: str = "canceled"
    cards: dict[str, Outcome] = field(default_factory=dict)


def minimum_charge(currency: str) -> int:
    """Return the smallest amount that is charged; less is carried on the customer's balance."""
    return _MINIMUM_CHARGES.get(currency, _MINIMUM_CHARGE)
