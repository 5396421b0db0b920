"""What a Checkout Session sells: its line items, checked against its mode and priced."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.amounts import in_currency, line_amount
from infra.local.stripe.errors import invalid
from infra.local.stripe.parameters import merged_metadata
from infra.local.stripe.resources import catalog
from infra.local.stripe.store import Object, new_id

_MAX_LINE_ITEMS = {"payment": 100, "subscription": 20}


def build(
    account: Account, given: list[dict[str, Any]], mode: str, currency: str | None, *, trial: bool = False
) -> list[Object]:
    """Return the line items of a new session, or refuse what Stripe would refuse; a trial makes them free today."""
    if not given or len(given) > _MAX_LINE_ITEMS[mode]:
        raise invalid(f"line_items takes 1 to {_MAX_LINE_ITEMS[mode]} items.", param="line_items")
    items = [_item(account, entry, f"line_items[{index}]", currency) for index, entry in enumerate(given)]
    if len({item["currency"] for item in items}) > 1:
        raise invalid("All prices of a session must have the same currency.", param="line_items")
    recurring = [item["price"]["recurring"] for item in items if item["price"]["recurring"]]
    if mode == "payment" and recurring:
        raise invalid("mode=payment does not take recurring prices; use mode=subscription.", param="line_items")
    if mode == "subscription" and not recurring:
        raise invalid("mode=subscription needs at least one recurring price.", param="line_items")
    if len({(terms["interval"], terms["interval_count"]) for terms in recurring}) > 1:
        raise invalid("All recurring prices of a session must have the same interval.", param="line_items")
    for item in items:
        if trial and item["price"]["recurring"]:
            item["amount_subtotal"] = item["amount_total"] = 0
    return items


def _item(account: Account, given: dict[str, Any], path: str, wanted: str | None) -> Object:
    price = _price(account, given, path)
    quantity = _quantity(price, given.get("quantity"), path)
    currency = (wanted or price["currency"]).lower()
    if currency != price["currency"] and currency not in price["currency_options"]:
        message = f"The price {price['id']} is not available in {currency}."
        raise invalid(message, param="currency")
    amount = 0 if quantity is None else line_amount(in_currency(price, currency), quantity)
    return {
        "id": new_id("item"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": currency,
        "description": account.store.get("product", price["product"])["name"],
        "metadata": merged_metadata({}, given.get("metadata")),
        "price": price,
        "quantity": quantity,
    }


def _price(account: Account, given: dict[str, Any], path: str) -> Object:
    if (given.get("price") is None) == (given.get("price_data") is None):
        raise invalid(f"Give either {path}[price] or {path}[price_data].", param=path, code="parameter_missing")
    if given.get("price_data") is not None:
        return catalog.add_price(account, {**given["price_data"], "active": False})
    price = account.store.get("price", given["price"], param=f"{path}[price]")
    if not price["active"] or not account.store.get("product", price["product"])["active"]:
        message = "The price or its product is inactive, so it cannot be sold."
        raise invalid(message, param=f"{path}[price]", code="resource_missing")
    return price


def _quantity(price: Object, given: int | None, path: str) -> int | None:
    """A metered price has no quantity, because it is billed by usage; any other needs one."""
    metered = price["recurring"] is not None and price["recurring"]["usage_type"] == "metered"
    if metered and given is not None:
        raise invalid("A metered price takes no quantity.", param=f"{path}[quantity]")
    if not metered and given is None:
        raise invalid(f"Quantity is required: {path}[quantity].", param=f"{path}[quantity]", code="parameter_missing")
    return given
