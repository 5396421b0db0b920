"""Invoice items: amounts that wait for the customer's next invoice. Prorations are among them."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.resources.billing.lines import invoice_item_line, pricing, product_name
from infra.local.stripe.resources.billing.proration import Proration
from infra.local.stripe.store import Object, new_id


def build(account: Account, **given: Any) -> Object:
    """Return a new invoice item; it is not kept yet."""
    now, price, quantity = account.clock.now(), given.get("price"), given.get("quantity", 1)
    subscription = given.get("subscription")
    owner = {"subscription": subscription} | (
        {"subscription_item": given["subscription_item"]} if given.get("subscription_item") else {}
    )
    return {
        "id": new_id("invoice_item"),
        "object": "invoiceitem",
        "amount": given["amount"],
        "currency": given["currency"],
        "customer": given["customer"],
        "customer_account": None,
        "date": now,
        "description": given.get("description"),
        "discountable": not given.get("proration", False),
        "discounts": [],
        "invoice": given.get("invoice"),
        "livemode": False,
        "metadata": dict(given.get("metadata") or {}),
        "net_amount": given["amount"],
        "parent": {"subscription_details": owner, "type": "subscription_details"} if subscription else None,
        "period": given.get("period") or {"end": now, "start": now},
        "pricing": None if price is None else pricing(price),
        "proration": given.get("proration", False),
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "tax_rates": [],
        "test_clock": None,
    }


def from_proration(account: Account, subscription: Object, part: Proration) -> Object:
    """Return the invoice item of a proration; it is not kept yet."""
    item = part.item
    name = product_name(account, item["price"])
    times = f"{item['quantity']} x " if item["quantity"] != 1 else ""
    word = "Unused" if part.credit else "Remaining"
    return build(
        account,
        amount=part.amount,
        currency=subscription["currency"],
        customer=subscription["customer"],
        description=f"{word} time on {times}{name}",
        metadata=subscription["metadata"],
        period={"end": part.end, "start": part.start},
        price=item["price"],
        proration=True,
        quantity=item["quantity"],
        subscription=subscription["id"],
        subscription_item=item["id"],
    )


def waiting(account: Account, customer: str, currency: str, subscription: str | None) -> list[Object]:
    """Return what the customer's next invoice takes up, oldest first: its own subscription's items and unbound ones."""
    return [
        item
        for item in reversed(account.store.newest_first("invoiceitem"))
        if item["invoice"] is None
        and (item["customer"], item["currency"]) == (customer, currency)
        and subscription_of_item(item) in (None, subscription)
    ]


def subscription_of_item(item: Object) -> str | None:
    """Return the id of the subscription that an invoice item belongs to."""
    details = (item["parent"] or {}).get("subscription_details") or {}
    found: str | None = details.get("subscription")
    return found


def take_up(account: Account, items: list[Object], invoice: Object) -> None:
    """Put waiting items onto a draft."""
    for item in items:
        item["invoice"] = invoice["id"]
        invoice["lines"]["data"].append(invoice_item_line(account, item))
