"""
How products and prices come to be, wherever the request came from.

Each may bring the other along (a product its default price, a price its product), so their making shares a room.
"""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.parameters import merged_metadata
from infra.local.stripe.resources.price_currencies import read_options
from infra.local.stripe.resources.price_tiers import amount_pair, read_tiers
from infra.local.stripe.store import Object, new_id


def add_product(account: Account, details: dict[str, Any]) -> Object:
    """Create a product; prices and sessions may bring one along inline."""
    identifier = details.get("id") or new_id("product")
    if account.store.find(identifier) is not None:
        raise invalid(f"Product already exists: {identifier}", param="id", code="resource_already_exists")
    now = account.clock.now()
    product: Object = {
        "id": identifier,
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": None,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "unit_label": None,
        "updated": now,
        "url": None,
    }
    apply_product(product, details)
    return account.create(product, "product.created")


def apply_product(product: Object, details: dict[str, Any]) -> None:
    """Write the given details onto a product."""
    if details.get("name", product["name"]) is None:
        raise invalid("You passed an empty string for 'name'.", param="name", code="parameter_invalid_empty")
    product.update({key: value for key, value in details.items() if key != "metadata"})
    product["metadata"] = merged_metadata(product["metadata"], details.get("metadata"))


def add_price(account: Account, given: dict[str, Any]) -> Object:
    """Create a price; a product and a session may bring one along inline."""
    amounts = _amounts(given)
    recurring = _recurring(given.get("recurring"))
    if given.get("lookup_key") is not None:
        claim_lookup_key(account, given["lookup_key"], transfer=given.get("transfer_lookup_key", False))
    price: Object = {
        "id": new_id("price"),
        "object": "price",
        "active": given.get("active", True),
        "created": account.clock.now(),
        "currency": given["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": given.get("lookup_key"),
        "metadata": merged_metadata({}, given.get("metadata")),
        "nickname": given.get("nickname"),
        "product": _product(account, given),
        "recurring": recurring,
        "tax_behavior": given.get("tax_behavior", "unspecified"),
        "transform_quantity": given.get("transform_quantity"),
        "type": "one_time" if recurring is None else "recurring",
        **amounts,
    }
    price["currency_options"] = read_options(price, given.get("currency_options", {}))
    return account.create(price, "price.created")


def _product(account: Account, given: dict[str, Any]) -> str:
    if (given.get("product") is None) == (given.get("product_data") is None):
        raise invalid("Give either product or product_data.", param="product", code="parameter_missing")
    if given.get("product") is not None:
        return str(account.store.get("product", given["product"], param="product")["id"])
    return str(add_product(account, given["product_data"])["id"])


def _recurring(given: dict[str, Any] | None) -> dict[str, Any] | None:
    if not given:
        return None
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": given.get("meter"),
        "usage_type": given.get("usage_type", "licensed"),
    }


def _amounts(given: dict[str, Any]) -> dict[str, Any]:
    tiered = given.get("billing_scheme") == "tiered"
    if tiered != ("tiers" in given) or tiered != ("tiers_mode" in given):
        raise invalid("tiers and tiers_mode go with billing_scheme=tiered.", param="billing_scheme")
    pair = amount_pair(given, "unit_amount")
    if not tiered:
        if pair["unit_amount_decimal"] is None:
            raise invalid("Give unit_amount or unit_amount_decimal.", param="unit_amount", code="parameter_missing")
        return {"billing_scheme": "per_unit", "tiers_mode": None, **pair}
    if pair["unit_amount_decimal"] is not None or given.get("transform_quantity"):
        raise invalid("A tiered price takes neither unit_amount nor transform_quantity.", param="billing_scheme")
    if not given.get("recurring"):
        raise invalid("A tiered price must be recurring.", param="recurring")
    return {"billing_scheme": "tiered", "tiers_mode": given["tiers_mode"], "tiers": read_tiers(given["tiers"]), **pair}


def claim_lookup_key(account: Account, key: str, *, transfer: bool) -> None:
    """Free a lookup key for a new holder, or refuse if it may not be taken over."""
    for holder in account.store.newest_first("price"):
        if holder["lookup_key"] != key:
            continue
        if not transfer:
            raise invalid(f"A price ({holder['id']}) already uses that lookup key.", param="lookup_key")
        with account.journal.changing(holder, "price.updated"):
            holder["lookup_key"] = None
