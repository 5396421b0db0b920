"""The items of subscriptions on routes of their own; every change is an update of their subscription."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import missing
from infra.local.stripe.listing import page
from infra.local.stripe.resources import subscription_parameters as declared
from infra.local.stripe.resources.subscriptions import change, live
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_OF_SUBSCRIPTION = ("off_session", "payment_behavior", "proration_behavior", "proration_date", "subscription")


def _find(account: Account, call: Call) -> tuple[Object, Object]:
    for subscription in account.store.newest_first("subscription"):
        for item in subscription["items"]["data"]:
            if item["id"] == call.names["item"]:
                return subscription, item
    raise missing("subscription_item", call.names["item"])


def _change(account: Account, subscription: Object, given: dict[str, Any], **item: Any) -> Object:
    shared = {name: given[name] for name in _OF_SUBSCRIPTION if name in given and name != "subscription"}
    entry = {name: value for name, value in given.items() if name not in _OF_SUBSCRIPTION}
    return change(account, live(subscription), {**shared, "items": [{**entry, **item}]})


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/subscription_items``."""
    subscription = account.store.get("subscription", call.parameters["subscription"], param="subscription")
    changed: Object = _change(account, subscription, call.parameters)["items"]["data"][-1]
    return changed


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/subscription_items/{item}``."""
    return _find(account, call)[1]


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/subscription_items/{item}``."""
    subscription, item = _find(account, call)
    _change(account, subscription, call.parameters, id=item["id"])
    return _find(account, call)[1]


def delete(account: Account, call: Call) -> Object:
    """Answer ``DELETE /v1/subscription_items/{item}``."""
    subscription, item = _find(account, call)
    _change(account, subscription, call.parameters, id=item["id"], deleted=True)
    return {"id": item["id"], "object": "subscription_item", "deleted": True}


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/subscription_items``."""
    subscription = account.store.get("subscription", call.parameters["subscription"], param="subscription")
    return page(subscription["items"]["data"], call.parameters, call.path)


ROUTES = (
    Route("POST", "/v1/subscription_items", create, declared.ITEM_CREATE),
    Route("GET", "/v1/subscription_items", listing, declared.ITEM_LIST),
    Route("GET", "/v1/subscription_items/{item}", retrieve),
    Route("POST", "/v1/subscription_items/{item}", update, declared.ITEM_UPDATE),
    Route("DELETE", "/v1/subscription_items/{item}", delete, declared.ITEM_DELETE),
)
