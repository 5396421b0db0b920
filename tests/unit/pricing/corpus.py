"""
The corpus: prices of every sort that are sold, each at the quantities where arithmetic goes wrong.

A price is made twice, from the same terms: as our mirror has it and as the stand-in has it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from keywright.catalog.models import CurrencyOption, Price, Tier, Transform
from tests.unit.pricing.prices import price

CURRENCIES = ("usd", "eur", "gbp", "jpy", "krw", "isk", "ugx", "huf", "twd", "kwd", "bhd", "inr")
_LARGE = (999, 10_000, 999_999, 10**9, 999_999_999_999)


@dataclass(frozen=True)
class Case:
    """One price at one quantity, as both sides have it, in one of the currencies that it has (None: its own)."""

    price: Price
    stripe: dict[str, Any]
    quantity: int
    currency: str | None = None

    def __str__(self) -> str:
        return f"{self.stripe} x {self.quantity} in {self.currency or self.price.currency}"


def cases(count: int, *, seed: int = 8) -> Iterator[Case]:
    """Yield at least so many cases; the same ones for the same seed."""
    chance, made = random.Random(seed), 0
    while made < count:
        ours, stripe = _tiered(chance) if chance.random() < 0.6 else _per_unit(chance)
        for quantity in _quantities(ours, chance):
            yield Case(ours, stripe, quantity, chance.choice((None, *(option.currency for option in ours.options))))
            made += 1


def stripe_parameters(stripe: dict[str, Any]) -> dict[str, Any]:
    """Return the terms as Stripe's API takes them."""
    given: dict[str, Any] = {"currency": stripe["currency"], "recurring": {"interval": "month"}}
    if options := stripe["currency_options"]:
        given["currency_options"] = {name: _option_parameters(option) for name, option in options.items()}
    if stripe["billing_scheme"] == "per_unit":
        given["unit_amount_decimal"] = stripe["unit_amount_decimal"]
        if stripe["transform_quantity"]:
            given["transform_quantity"] = stripe["transform_quantity"]
        return given
    tiers = [_tier_parameters(tier) for tier in stripe["tiers"]]
    return {**given, "billing_scheme": "tiered", "tiers_mode": stripe["tiers_mode"], "tiers": tiers}


_AMOUNTS = ("unit_amount_decimal", "flat_amount_decimal")


def _option_parameters(option: dict[str, Any]) -> dict[str, Any]:
    return {"tiers": [_tier_parameters(tier) for tier in option["tiers"]]} if "tiers" in option else option


def _tier_parameters(tier: dict[str, Any]) -> dict[str, Any]:
    return {"up_to": tier["up_to"] or "inf", **{name: tier[name] for name in _AMOUNTS if tier[name] is not None}}


def _other_currencies(chance: random.Random, currency: str) -> list[str]:
    """Return none for some prices, and up to two for the others."""
    return chance.sample([name for name in CURRENCIES if name != currency], chance.randint(0, 2))


def _per_unit(chance: random.Random) -> tuple[Price, dict[str, Any]]:
    amount, currency = _amount(chance), chance.choice(CURRENCIES)
    transform = chance.choice([None, Transform(chance.choice((2, 3, 10, 100, 1000)), chance.choice(("up", "down")))])
    others = {other: _amount(chance) for other in _other_currencies(chance, currency)}
    stripe = {
        "currency": currency,
        "billing_scheme": "per_unit",
        "unit_amount_decimal": amount,
        "transform_quantity": transform and {"divide_by": transform.divide_by, "round": transform.rounding},
        "currency_options": {other: {"unit_amount_decimal": costs} for other, costs in others.items()},
    }
    options = tuple(CurrencyOption(other, Decimal(costs)) for other, costs in others.items())
    return price(unit_amount=Decimal(amount), currency=currency, transform=transform, options=options), stripe


def _tiered(chance: random.Random) -> tuple[Price, dict[str, Any]]:
    currency, mode = chance.choice(CURRENCIES), chance.choice(("graduated", "volume"))
    ends = sorted(chance.sample((1, 2, 5, 10, 11, 99, 100, 1000, 10_000, 10**6), chance.randint(0, 5)))
    tiers = _tiers(chance, ends)
    others = {other: _tiers(chance, ends) for other in _other_currencies(chance, currency)}
    stripe = {
        "currency": currency,
        "billing_scheme": "tiered",
        "tiers_mode": mode,
        "transform_quantity": None,
        "tiers": _at_stripe(tiers),
        "currency_options": {other: {"tiers": _at_stripe(rows)} for other, rows in others.items()},
    }
    options = tuple(CurrencyOption(other, None, _mirrored(rows)) for other, rows in others.items())
    shape = {"billing_scheme": "tiered", "tiers_mode": mode, "unit_amount": None}
    return price(**shape, tiers=_mirrored(tiers), currency=currency, options=options), stripe


_Tier = tuple[int | None, str | None, str | None]


def _tiers(chance: random.Random, ends: list[int]) -> list[_Tier]:
    """Return tiers with these borders: a price has the same ones in all of its currencies."""
    tiers: list[_Tier] = []
    for end in [*ends, None]:
        unit, flat = chance.choice((_amount(chance), _amount(chance), None)), chance.choice((_amount(chance), None))
        tiers.append((end, unit if unit or flat else "0", flat))
    return tiers


def _at_stripe(tiers: list[_Tier]) -> list[dict[str, Any]]:
    return [{"up_to": end, "unit_amount_decimal": unit, "flat_amount_decimal": flat} for end, unit, flat in tiers]


def _mirrored(tiers: list[_Tier]) -> tuple[Tier, ...]:
    return tuple(Tier(end, unit and Decimal(unit), flat and Decimal(flat)) for end, unit, flat in tiers)  # type: ignore[arg-type]


def _amount(chance: random.Random) -> str:
    """Return whole amounts, halves, which show how is rounded, and amounts with up to twelve decimals."""
    kind = chance.randrange(4)
    if kind == 0:
        return str(chance.randrange(100_000))
    if kind == 1:
        return f"{chance.randrange(1000)}.5"
    return f"{chance.randrange(10_000)}.{chance.randrange(10**12):012d}"[: chance.randint(6, 17)].rstrip(".")


def _quantities(ours: Price, chance: random.Random) -> list[int]:
    """Return 0 and 1, each border and its neighbors, something between, and large ones."""
    borders = [tier.up_to for tier in ours.tiers if tier.up_to is not None]
    if ours.transform is not None:
        borders += [ours.transform.divide_by, 2 * ours.transform.divide_by]
    near = {border + step for border in borders for step in (-1, 0, 1)}
    return sorted({0, 1, 2, *near, chance.randrange(1, 5000), *chance.sample(_LARGE, 2)})
