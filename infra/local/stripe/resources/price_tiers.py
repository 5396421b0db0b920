"""The money fields of a price: unit amounts and tiers, checked and written in Stripe's double form."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from infra.local.stripe.errors import invalid
from infra.local.stripe.parameters import DecimalText, Each, Fields, Integer, Kind


class UpTo:
    """A tier's upper bound: a positive number, or ``inf``, which reads as None."""

    def read(self, raw: Any, path: str) -> int | None:
        """Return the bound, or refuse the text."""
        if raw == "inf":
            return None
        return Integer(minimum=1).read(raw, path)


AMOUNT_FIELDS: dict[str, Kind] = {"unit_amount": Integer(), "unit_amount_decimal": DecimalText()}
TIERS = Each(
    Fields(
        {
            "flat_amount": Integer(minimum=0),
            "flat_amount_decimal": DecimalText(),
            "unit_amount": Integer(minimum=0),
            "unit_amount_decimal": DecimalText(),
            "up_to": UpTo(),
        },
        required=("up_to",),
    )
)


def amount_pair(given: dict[str, Any], name: str, path: str = "") -> dict[str, Any]:
    """
    Return ``{name, name_decimal}`` from whichever of the two was given.

    The integer form is None where the amount has a fraction, and both are None where neither was given.
    """
    whole, decimal = given.get(name), given.get(f"{name}_decimal")
    if whole is not None and decimal is not None:
        raise invalid(f"You may give only one of {name} and {name}_decimal.", param=f"{path}{name}")
    if whole is not None:
        decimal = str(whole)
    if decimal is None:
        return {name: None, f"{name}_decimal": None}
    plain = format(Decimal(decimal).normalize(), "f")
    return {name: int(plain) if "." not in plain else None, f"{name}_decimal": plain}


def read_tiers(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Check that the tiers rise and end without a bound; return them in the shape Stripe answers."""
    bounds = [tier["up_to"] for tier in given]
    if not bounds or bounds[-1] is not None or None in bounds[:-1]:
        raise invalid("Exactly the last tier must have up_to=inf.", param="tiers")
    if bounds[:-1] != sorted(set(bounds[:-1])):
        raise invalid("The tiers' up_to must rise.", param="tiers")
    return [_tier(tier, index) for index, tier in enumerate(given)]


def _tier(given: dict[str, Any], index: int) -> dict[str, Any]:
    path = f"tiers[{index}]"
    tier = {**amount_pair(given, "flat_amount", path), **amount_pair(given, "unit_amount", path)}
    if tier["flat_amount_decimal"] is None and tier["unit_amount_decimal"] is None:
        raise invalid(f"{path} needs a unit amount or a flat amount.", param=path)
    return {**tier, "up_to": given["up_to"]}
