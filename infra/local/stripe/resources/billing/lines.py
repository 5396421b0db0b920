"""The lines of invoices: one, rounded once, for each price. Nothing is kept or announced here."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.amounts import in_currency, line_amount
from infra.local.stripe.resources.billing.proration import is_metered
from infra.local.stripe.store import Object, new_id
from infra.local.stripe.usage import usage_of


def recurring_lines(account: Account, subscription: Object, *, before: list[Object] | None) -> list[Object]:
    """
    Return the lines of a period: licensed items for the one that begins, metered ones for the one that ended.

    ``before`` are the items as they were then; without it nothing has ended yet and usage starts at nothing.
    """
    ended = {item["id"]: item for item in before or []}
    trial, lines = subscription["status"] == "trialing", []
    for item in subscription["items"]["data"]:
        if trial:
            lines.append(_free(account, subscription, item))
        elif not is_metered(item):
            amount = line_amount(in_currency(item["price"], subscription["currency"]), item["quantity"])
            lines.append(item_line(account, subscription, item, quantity=item["quantity"], amount=amount))
        elif before is None:
            lines.append(item_line(account, subscription, item, quantity=0, amount=0))
        elif item["id"] in ended:
            lines.append(usage_line(account, subscription, ended[item["id"]]))
    return lines


def usage_line(account: Account, subscription: Object, item: Object) -> Object:
    """Return the line for what a metered item used in its period so far."""
    start, end = item["current_period_start"], item["current_period_end"]
    meter = item["price"]["recurring"]["meter"]
    quantity = usage_of(account, meter, subscription["customer"], start, end) if meter else 0
    amount = line_amount(in_currency(item["price"], subscription["currency"]), quantity)
    return item_line(account, subscription, item, quantity=quantity, amount=amount)


def refresh_usage(account: Account, subscription: Object, line: Object) -> None:
    """Count the usage of a metered line again: it may still arrive until the invoice is finalized."""
    origin = (line["parent"] or {}).get("subscription_item_details")
    price = account.store.find(line["pricing"]["price_details"]["price"]) if line["pricing"] else None
    if not origin or origin["proration"] or price is None or price["recurring"]["usage_type"] != "metered":
        return
    if line["period"]["end"] > account.clock.now() or not price["recurring"]["meter"]:
        return
    start, end = line["period"]["start"], line["period"]["end"]
    line["quantity"] = usage_of(account, price["recurring"]["meter"], subscription["customer"], start, end)
    line["quantity_decimal"] = str(line["quantity"])
    line["amount"] = line["subtotal"] = line_amount(in_currency(price, line["currency"]), line["quantity"])


def _free(account: Account, subscription: Object, item: Object) -> Object:
    name = f"Trial period for {product_name(account, item['price'])}"
    return item_line(account, subscription, item, quantity=item.get("quantity", 0), amount=0, description=name)


def item_line(
    account: Account,
    subscription: Object,
    item: Object,
    *,
    quantity: int,
    amount: int,
    description: str | None = None,
) -> Object:
    """Return the line of a subscription item for its period."""
    text = description or product_name(account, item["price"])
    origin = {
        "invoice_item": None,
        "proration": False,
        "proration_details": {"credited_items": None},
        "subscription": subscription["id"],
        "subscription_item": item["id"],
    }
    return line(
        amount=amount,
        currency=subscription["currency"],
        description=text,
        metadata=dict(subscription["metadata"]),
        period={"end": item["current_period_end"], "start": item["current_period_start"]},
        price=item["price"],
        quantity=quantity,
        subscription=subscription["id"],
        parent={
            "invoice_item_details": None,
            "subscription_item_details": origin,
            "type": "subscription_item_details",
        },
    )


def invoice_item_line(account: Account, item: Object) -> Object:
    """Return the line of an invoice item; a proration belongs to the subscription item that it adjusts."""
    parent = (item["parent"] or {}).get("subscription_details") or {}
    origin = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": None},
        "subscription": parent.get("subscription"),
    }
    name = "subscription_item_details" if parent.get("subscription_item") else "invoice_item_details"
    if parent.get("subscription_item"):
        origin["subscription_item"] = parent["subscription_item"]
    details = (item["pricing"] or {}).get("price_details")
    return line(
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"],
        metadata=dict(item["metadata"]),
        period=dict(item["period"]),
        price=account.store.get("price", details["price"]) if details else None,
        quantity=item["quantity"],
        subscription=parent.get("subscription"),
        parent={"invoice_item_details": None, "subscription_item_details": None, name: origin, "type": name},
    )


def line(**given: Any) -> Object:
    """Return a line in Stripe's shape; it learns its invoice when it is put on one."""
    price, quantity = given.pop("price"), given["quantity"]
    return {
        "id": new_id("line_item"),
        "object": "line_item",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "pretax_credit_amounts": [],
        "pricing": None if price is None else pricing(price),
        "quantity_decimal": str(quantity),
        "subtotal": given["amount"],
        "taxes": [],
        **given,
    }


def pricing(price: Object) -> Object:
    """Return how a line or an invoice item names its price."""
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def product_name(account: Account, price: Object) -> str:
    """Return what an invoice calls a price."""
    product = account.store.find(price["product"])
    return str((product or {}).get("name") or price["nickname"] or price["id"])
