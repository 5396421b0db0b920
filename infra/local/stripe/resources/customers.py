"""Customers."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Each, Fields, Kind, Metadata, Text, merged_metadata
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id, random_text

_ADDRESS = Fields({name: Text() for name in ("city", "country", "line1", "line2", "postal_code", "state")})
_DETAILS: dict[str, Kind] = {
    "address": _ADDRESS,
    "description": Text(),
    "email": Text(512),
    "metadata": Metadata(),
    "name": Text(256),
    "phone": Text(20),
    "preferred_locales": Each(Text()),
    "tax_exempt": Choice(("none", "exempt", "reverse")),
}


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/customers``."""
    return add(account, call.parameters)


def add(account: Account, details: dict[str, Any]) -> Object:
    """Create a customer; the hosted page does so too, for a session that names none."""
    customer: Object = {
        "id": new_id("customer"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": account.clock.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    _apply(customer, details)
    return account.create(customer, "customer.created")


def _apply(customer: Object, details: dict[str, Any]) -> None:
    address = details.get("address")
    customer.update({key: value for key, value in details.items() if key not in ("address", "metadata")})
    if address is not None:
        customer["address"] = {name: address.get(name) for name in _ADDRESS.kinds} if address else None
    customer["metadata"] = merged_metadata(customer["metadata"], details.get("metadata"))


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/customers/{customer}``."""
    return account.store.get("customer", call.names["customer"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/customers/{customer}``."""
    with account.journal.changing(retrieve(account, call), "customer.updated") as customer:
        _apply(customer, call.parameters)
    return customer


def delete(account: Account, call: Call) -> Object:
    """Answer ``DELETE /v1/customers/{customer}``."""
    customer = retrieve(account, call)
    account.journal.record("customer.deleted", customer)
    return account.store.remove(customer)


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/customers``."""
    found = [value for value in account.store.newest_first("customer") if matches(value, call.parameters, ("email",))]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route("POST", "/v1/customers", create, Fields(_DETAILS)),
    Route("GET", "/v1/customers", listing, Fields({**PAGE_PARAMETERS, "created": CREATED, "email": Text()})),
    Route("GET", "/v1/customers/{customer}", retrieve),
    Route("POST", "/v1/customers/{customer}", update, Fields(_DETAILS)),
    Route("DELETE", "/v1/customers/{customer}", delete),
)
