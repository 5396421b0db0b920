"""Customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Each, Fields, Integer, Kind, Metadata, Text, merged_metadata
from infra.local.stripe.resources import payment_methods
from infra.local.stripe.resources.billing import status
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id, random_text

# Written by rules of their own, not as they come.
_APART = ("address", "invoice_settings", "metadata", "payment_method")
_ADDRESS = Fields({name: Text() for name in ("city", "country", "line1", "line2", "postal_code", "state")})
_DETAILS: dict[str, Kind] = {
    "address": _ADDRESS,
    "balance": Integer(),
    "description": Text(),
    "email": Text(512),
    "metadata": Metadata(),
    "name": Text(256),
    "phone": Text(20),
    "invoice_settings": Fields({"default_payment_method": Text(), "footer": Text()}),
    "preferred_locales": Each(Text()),
    "tax_exempt": Choice(("none", "exempt", "reverse")),
}


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/customers``."""
    details, given = call.parameters, call.parameters.get("payment_method")
    customer = _build(account, details)
    method = payment_methods.resolve(account, given, "payment_method") if given else None
    if method is not None:
        payment_methods.attach_to(account, method, customer)
    _settle(account, customer, details, {given: method["id"]} if method else {})
    return account.create(customer, "customer.created")


def _settle(account: Account, customer: Object, details: dict[str, Any], known: Mapping[Any, str]) -> None:
    """Write the invoice settings; ``known`` are test tokens that already became methods in this call."""
    settings = dict(details.get("invoice_settings", {}))
    default = settings.get("default_payment_method")
    if default is not None:
        settings["default_payment_method"] = known.get(default) or payment_methods.usable_by(
            account, default, customer, "invoice_settings[default_payment_method]"
        )
    customer["invoice_settings"].update(settings)


def add(account: Account, details: dict[str, Any]) -> Object:
    """Create a customer for a session of the hosted page that names none."""
    return account.create(_build(account, details), "customer.created")


def _build(account: Account, details: dict[str, Any]) -> Object:
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
    return customer


def _apply(customer: Object, details: dict[str, Any]) -> None:
    address = details.get("address")
    customer.update({key: value for key, value in details.items() if key not in _APART})
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
        _settle(account, customer, call.parameters, {})
    return customer


def delete(account: Account, call: Call) -> Object:
    """Answer ``DELETE /v1/customers/{customer}``; its subscriptions end with it."""
    customer = retrieve(account, call)
    for subscription in account.store.newest_first("subscription"):
        if subscription["customer"] == customer["id"] and subscription["status"] not in status.FINAL:
            status.end(account, subscription, reason="cancellation_requested")
    account.journal.record("customer.deleted", customer)
    return account.store.remove(customer)


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/customers``."""
    found = [value for value in account.store.newest_first("customer") if matches(value, call.parameters, ("email",))]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route("POST", "/v1/customers", create, Fields({**_DETAILS, "payment_method": Text()})),
    Route("GET", "/v1/customers", listing, Fields({**PAGE_PARAMETERS, "created": CREATED, "email": Text()})),
    Route("GET", "/v1/customers/{customer}", retrieve),
    Route("POST", "/v1/customers/{customer}", update, Fields(_DETAILS)),
    Route("DELETE", "/v1/customers/{customer}", delete),
)
