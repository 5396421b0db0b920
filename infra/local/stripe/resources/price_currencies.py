"""A price's other currencies. Each option has what the price has: unit amounts, or tiers of its own."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.errors import invalid
from infra.local.stripe.resources.price_tiers import amount_pair, read_tiers
from infra.local.stripe.store import Object


def read_options(price: Object, given: dict[str, dict[str, Any]]) -> dict[str, Object]:
    """Check the options; return them with the price's own currency, which Stripe lists among them."""
    own = {
        "custom_unit_amount": None,
        "tax_behavior": price["tax_behavior"],
        **({"tiers": price["tiers"]} if price["billing_scheme"] == "tiered" else {}),
        "unit_amount": price["unit_amount"],
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
    options = {price["currency"]: own}
    for currency, terms in given.items():
        path = f"currency_options[{currency}]"
        if currency == price["currency"]:
            raise invalid(f"{path} is the price's own currency; give its amount directly.", param=path)
        options[currency] = _option(price, terms, path)
    return options


def _option(price: Object, terms: dict[str, Any], path: str) -> Object:
    tiered = price["billing_scheme"] == "tiered"
    pair = amount_pair(terms, "unit_amount", path)
    if tiered != ("tiers" in terms) or tiered != (pair["unit_amount_decimal"] is None):
        wanted = "tiers" if tiered else "unit_amount or unit_amount_decimal"
        raise invalid(f"{path} needs {wanted}, as the price has.", param=path)
    if tiered and [tier["up_to"] for tier in terms["tiers"]] != [tier["up_to"] for tier in price["tiers"]]:
        raise invalid(f"{path}[tiers] must have the same up_to as the price's tiers.", param=f"{path}[tiers]")
    return {
        "custom_unit_amount": None,
        "tax_behavior": terms.get("tax_behavior", "unspecified"),
        **({"tiers": read_tiers(terms["tiers"])} if tiered else {}),
        **pair,
    }
