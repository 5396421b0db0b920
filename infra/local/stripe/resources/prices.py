"""Prices: per unit or tiered, one-time or recurring, licensed or metered."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.listing import matches, page
from infra.local.stripe.parameters import merged_metadata
from infra.local.stripe.resources import catalog, price_parameters
from infra.local.stripe.resources.price_currencies import read_options
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/prices``."""
    return catalog.add_price(account, call.parameters)


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/prices/{price}``."""
    return account.store.get("price", call.names["price"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/prices/{price}``."""
    price, given = retrieve(account, call), dict(call.parameters)
    transfer = given.pop("transfer_lookup_key", False)
    if given.get("lookup_key") not in (None, price["lookup_key"]):
        catalog.claim_lookup_key(account, given["lookup_key"], transfer=transfer)
    metadata, options = given.pop("metadata", None), given.pop("currency_options", None)
    with account.journal.changing(price, "price.updated"):
        price.update(given)
        if options is not None:
            price["currency_options"] = {**price["currency_options"], **read_options(price, options)}
        price["metadata"] = merged_metadata(price["metadata"], metadata)
    return price


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/prices``."""
    keys, recurring = call.parameters.get("lookup_keys"), call.parameters.get("recurring", {})
    found = [
        price
        for price in account.store.newest_first("price")
        if matches(price, call.parameters, ("active", "currency", "product", "type"))
        and (keys is None or price["lookup_key"] in keys)
        and recurring.items() <= (price["recurring"] or {}).items()
    ]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route("POST", "/v1/prices", create, price_parameters.CREATE),
    Route("GET", "/v1/prices", listing, price_parameters.LIST),
    Route("GET", "/v1/prices/{price}", retrieve),
    Route("POST", "/v1/prices/{price}", update, price_parameters.UPDATE),
)
