"""Products."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.errors import StripeError
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Each, Fields, Flag, Kind, Metadata, Text
from infra.local.stripe.resources import catalog, price_parameters
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_DETAILS: dict[str, Kind] = {
    "active": Flag(),
    "description": Text(),
    "images": Each(Text()),
    "marketing_features": Each(Fields({"name": Text()}, required=("name",))),
    "metadata": Metadata(),
    "name": Text(),
    "shippable": Flag(),
    "statement_descriptor": Text(22),
    "tax_code": Text(),
    "unit_label": Text(),
    "url": Text(),
}
_CREATE = Fields({**_DETAILS, "id": Text(), "default_price_data": price_parameters.INLINE}, required=("name",))
_UPDATE = Fields({**_DETAILS, "default_price": Text()})
_LIST = Fields({**PAGE_PARAMETERS, "active": Flag(), "created": CREATED, "ids": Each(Text()), "url": Text()})


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/products``."""
    details = dict(call.parameters)
    price_data = details.pop("default_price_data", None)
    product = catalog.add_product(account, details)
    if price_data is not None:
        price = catalog.add_price(account, {**price_data, "product": product["id"]})
        with account.journal.changing(product, "product.updated"):
            product["default_price"] = price["id"]
    return product


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/products/{product}``."""
    return account.store.get("product", call.names["product"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/products/{product}``."""
    product = retrieve(account, call)
    default_price = call.parameters.get("default_price")
    if default_price is not None:
        account.store.get("price", default_price, param="default_price")
    with account.journal.changing(product, "product.updated"):
        before = dict(product)
        catalog.apply_product(product, call.parameters)
        if product != before:
            product["updated"] = account.clock.now()
    return product


def delete(account: Account, call: Call) -> Object:
    """Answer ``DELETE /v1/products/{product}``."""
    product = retrieve(account, call)
    if any(price["product"] == product["id"] for price in account.store.newest_first("price")):
        message = "This product cannot be deleted because it has prices; archive it with active=false."
        raise StripeError(message)
    account.journal.record("product.deleted", product)
    return account.store.remove(product)


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/products``."""
    wanted = call.parameters.get("ids")
    found = [
        value
        for value in account.store.newest_first("product")
        if matches(value, call.parameters, ("active", "url")) and (wanted is None or value["id"] in wanted)
    ]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route("POST", "/v1/products", create, _CREATE),
    Route("GET", "/v1/products", listing, _LIST),
    Route("GET", "/v1/products/{product}", retrieve),
    Route("POST", "/v1/products/{product}", update, _UPDATE),
    Route("DELETE", "/v1/products/{product}", delete),
)
