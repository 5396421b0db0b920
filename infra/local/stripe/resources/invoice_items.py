"""Invoice items: amounts that wait for an invoice, or were put on a draft."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.amounts import line_amount
from infra.local.stripe.errors import invalid, missing
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import DecimalText, Fields, Flag, Integer, Kind, Metadata, Text, merged_metadata
from infra.local.stripe.resources import catalog, invoice_objects, subscription_parameters
from infra.local.stripe.resources.billing import pending
from infra.local.stripe.resources.billing.lines import product_name
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoiceitems``."""
    given = call.parameters
    customer = account.store.get("customer", given["customer"], param="customer")
    invoice = _draft(account, given["invoice"]) if given.get("invoice") else None
    item = pending.build(account, **priced(account, given, customer), customer=customer["id"], **_owner(account, given))
    account.create(item, "invoiceitem.created")
    if invoice is not None:
        pending.take_up(account, [item], invoice)
        invoice_objects.total_up(invoice)
    return item


def _draft(account: Account, identifier: str) -> Object:
    invoice = account.store.get("invoice", identifier, param="invoice")
    if invoice["status"] != "draft":
        raise invalid("Only a draft can take invoice items.", param="invoice", code="invoice_not_editable")
    return invoice


def _owner(account: Account, given: dict[str, Any]) -> dict[str, str]:
    if not given.get("subscription"):
        return {}
    return {"subscription": account.store.get("subscription", given["subscription"], param="subscription")["id"]}


def priced(account: Account, given: dict[str, Any], customer: Object) -> dict[str, Any]:
    """Work out what an item costs: an amount as it is, or a price or unit amount times a quantity."""
    price, quantity = _price(account, given), given.get("quantity", 1)
    shared = {
        "description": given.get("description") or (product_name(account, price) if price else None),
        "metadata": merged_metadata({}, given.get("metadata")),
        "period": given.get("period"),
        "quantity": quantity,
    }
    if price is not None:
        return {**shared, "amount": line_amount(price, quantity), "currency": price["currency"], "price": price}
    currency = (given.get("currency") or customer["currency"] or "").lower()
    if not currency:
        raise invalid("Missing required param: currency.", param="currency", code="parameter_missing")
    if given.get("unit_amount_decimal") is not None:
        unit = {
            "billing_scheme": "per_unit",
            "transform_quantity": None,
            "unit_amount_decimal": given["unit_amount_decimal"],
        }
        return {**shared, "amount": line_amount(unit, quantity), "currency": currency}
    if given.get("amount") is None:
        raise invalid("Give an amount, a unit amount or a price.", param="amount", code="parameter_missing")
    return {**shared, "amount": given["amount"], "currency": currency}


def _price(account: Account, given: dict[str, Any]) -> Object | None:
    if given.get("price_data"):
        return catalog.add_price(account, {**given["price_data"], "active": False})
    identifier = given.get("price") or given.get("pricing", {}).get("price")
    if not identifier:
        return None
    price = account.store.get("price", identifier, param="pricing[price]")
    if price["recurring"] is not None:
        raise invalid("An invoice item takes a one-time price.", param="pricing[price]")
    return price


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/invoiceitems/{invoiceitem}``."""
    item = account.store.get("invoiceitem", call.names["invoiceitem"])
    if item.get("deleted"):
        raise missing("invoiceitem", item["id"])
    return item


def _waiting(account: Account, call: Call) -> Object:
    item = retrieve(account, call)
    if item["invoice"] is not None:
        message = "This invoice item is on an invoice already, so it can no longer be changed here."
        raise invalid(message, code="invoice_not_editable")
    return item


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoiceitems/{invoiceitem}``."""
    item, given = _waiting(account, call), call.parameters
    item["metadata"] = merged_metadata(item["metadata"], given.get("metadata"))
    if "description" in given:
        item["description"] = given["description"]
    if "amount" in given:
        item["amount"] = item["net_amount"] = given["amount"]
    return item


def delete(account: Account, call: Call) -> Object:
    """Answer ``DELETE /v1/invoiceitems/{invoiceitem}``."""
    item = _waiting(account, call)
    account.journal.record("invoiceitem.deleted", item)
    return account.store.remove(item)


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/invoiceitems``."""
    waits = call.parameters.get("pending")
    found = [
        item
        for item in account.store.newest_first("invoiceitem")
        if matches(item, call.parameters, ("customer", "invoice")) and waits in (None, item["invoice"] is None)
    ]
    return page(found, call.parameters, call.path)


_PERIOD = Fields({"end": Integer(), "start": Integer()}, required=("end", "start"))
AMOUNT: dict[str, Kind] = {
    "amount": Integer(),
    "currency": Text(3),
    "description": Text(),
    "metadata": Metadata(),
    "period": _PERIOD,
    "price_data": subscription_parameters.ONE_TIME_DATA,
    "quantity": Integer(minimum=0),
    "unit_amount_decimal": DecimalText(),
}
_CREATE = Fields(
    {
        **AMOUNT,
        "customer": Text(),
        "invoice": Text(),
        "pricing": Fields({"price": Text()}),
        "subscription": Text(),
    },
    required=("customer",),
)
_LIST = Fields({**PAGE_PARAMETERS, "created": CREATED, "customer": Text(), "invoice": Text(), "pending": Flag()})
ROUTES = (
    Route("POST", "/v1/invoiceitems", create, _CREATE),
    Route("GET", "/v1/invoiceitems", listing, _LIST),
    Route("GET", "/v1/invoiceitems/{invoiceitem}", retrieve),
    Route(
        "POST",
        "/v1/invoiceitems/{invoiceitem}",
        update,
        Fields({"amount": Integer(), "description": Text(), "metadata": Metadata()}),
    ),
    Route("DELETE", "/v1/invoiceitems/{invoiceitem}", delete),
)
