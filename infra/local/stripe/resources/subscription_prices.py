"""The prices that a subscription request names, or brings along: read, checked, and turned into objects."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.resources import catalog
from infra.local.stripe.store import Object


def with_price(account: Account, given: dict[str, Any], path: str, *, recurring: bool = True) -> Object:
    """Return an item's parameters with its price as an object; an existing item may keep the one it has."""
    price = _price(account, given, path)
    if price is None:
        if given.get("id"):
            return {name: value for name, value in given.items() if name != "price"}
        raise invalid(f"Missing required param: {path}[price].", param=f"{path}[price]", code="parameter_missing")
    if recurring != (price["recurring"] is not None):
        kind = "recurring" if recurring else "one_time"
        message = f"The price specified is set to type={price['type']}, but this field takes type={kind}."
        raise invalid(message, param=f"{path}[price]")
    metered = recurring and price["recurring"]["usage_type"] == "metered"
    if metered and given.get("quantity") is not None:
        raise invalid("A metered price takes no quantity.", param=f"{path}[quantity]")
    quantity = given.get("quantity") if recurring else given.get("quantity", 1)
    return {**given, "price": price} | ({} if quantity is None else {"quantity": quantity})


def _price(account: Account, given: dict[str, Any], path: str) -> Object | None:
    if given.get("price") and given.get("price_data"):
        raise invalid(f"You may give only one of {path}[price] and {path}[price_data].", param=path)
    if given.get("price_data"):
        return catalog.add_price(account, {**given["price_data"], "active": False})
    if not given.get("price"):
        return None
    price = account.store.get("price", given["price"], param=f"{path}[price]")
    if not price["active"]:
        message = f"The price specified is inactive. This field only accepts active prices ({price['id']})."
        raise invalid(message, param=f"{path}[price]")
    return price
