"""Subscriptions: begun by the API or by a paid checkout, changed, scheduled for an end, canceled, resumed."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid, missing
from infra.local.stripe.listing import matches, page
from infra.local.stripe.resources import payment_methods
from infra.local.stripe.resources import subscription_parameters as declared
from infra.local.stripe.resources.billing import creation, updating
from infra.local.stripe.resources.billing.changes import require_compatible
from infra.local.stripe.resources.billing.status import FINAL
from infra.local.stripe.resources.subscription_prices import with_price
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_MAX_ITEMS = 20
_TWO_YEARS_S = 2 * 366 * 86_400
_WHILE_INCOMPLETE = frozenset({"default_payment_method", "description", "metadata"})


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/subscriptions``."""
    given = dict(call.parameters)
    customer = account.store.get("customer", given["customer"], param="customer")
    items = [with_price(account, item, f"items[{index}]") for index, item in enumerate(given["items"])]
    if not 1 <= len(items) <= _MAX_ITEMS:
        raise invalid(f"items takes 1 to {_MAX_ITEMS} items.", param="items")
    currency = given.get("currency") or items[0]["price"]["currency"]
    require_compatible([item["price"] for item in items], currency)
    details = _checked(account, customer, given, account.clock.now())
    extras = details.pop("add_invoice_items", [])
    return creation.begin(account, customer=customer, items=items, extras=extras, currency=currency, details=details)


def _checked(account: Account, customer: Object, given: dict[str, Any], now: int) -> dict[str, Any]:
    """Check the parameters that create and update share, and turn what they name into objects."""
    details = dict(given)
    if given.get("default_payment_method"):
        details["default_payment_method"] = payment_methods.usable_by(
            account, given["default_payment_method"], customer
        )
    if given.get("collection_method") == "send_invoice" and given.get("days_until_due") is None:
        raise invalid("days_until_due is required when collection_method is send_invoice.", param="days_until_due")
    if given.get("cancel_at") and given.get("cancel_at_period_end"):
        raise invalid("You may give only one of cancel_at and cancel_at_period_end.", param="cancel_at")
    if given.get("trial_period_days") and given.get("trial_end") is not None:
        raise invalid("You may give only one of trial_end and trial_period_days.", param="trial_end")
    for name in ("trial_end", "cancel_at", "billing_cycle_anchor"):
        if isinstance(given.get(name), int) and not now < given[name] <= now + _TWO_YEARS_S:
            raise invalid(f"{name} must be in the future and at most two years away.", param=name)
    details["add_invoice_items"] = [
        with_price(account, extra, f"add_invoice_items[{index}]", recurring=False)
        for index, extra in enumerate(given.get("add_invoice_items", []))
    ]
    return details


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/subscriptions/{subscription}``."""
    return account.store.get("subscription", call.names["subscription"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/subscriptions/{subscription}``."""
    return change(account, live(retrieve(account, call)), call.parameters)


def change(account: Account, subscription: Object, given: dict[str, Any]) -> Object:
    """Change a subscription by parameters of its update; its items' own routes do so too."""
    refused = given.keys() - _WHILE_INCOMPLETE if subscription["status"] == "incomplete" else ()
    if refused:
        raise invalid("An incomplete subscription takes a payment method and metadata only.", param=min(refused))
    customer = account.store.get("customer", subscription["customer"])
    details = _checked(account, customer, given, account.clock.now())
    details["items"] = [
        item if item.get("deleted") else with_price(account, item, f"items[{index}]")
        for index, item in enumerate(given.get("items", []))
    ]
    updating.update(account, subscription, details)
    return subscription


def live(subscription: Object) -> Object:
    """Return a subscription that can still change; Stripe answers an ended one as if it were absent."""
    if subscription["status"] in FINAL:
        raise missing("subscription", subscription["id"])
    return subscription


def cancel(account: Account, call: Call) -> Object:
    """Answer ``DELETE /v1/subscriptions/{subscription}``."""
    subscription = live(retrieve(account, call))
    updating.cancel(account, subscription, call.parameters)
    return subscription


def resume(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/subscriptions/{subscription}/resume``."""
    subscription = live(retrieve(account, call))
    updating.resume(account, subscription, call.parameters)
    return subscription


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/subscriptions``."""
    status, price = call.parameters.get("status"), call.parameters.get("price")
    found = [
        value
        for value in account.store.newest_first("subscription")
        if matches(value, call.parameters, ("collection_method", "customer"))
        and _status_matches(value["status"], status)
        and (price is None or any(item["price"]["id"] == price for item in value["items"]["data"]))
    ]
    return page(found, call.parameters, call.path)


def _status_matches(status: str, wanted: str | None) -> bool:
    """Leave out the canceled unless they are asked for, as Stripe does."""
    if wanted is None:
        return status != "canceled"
    if wanted == "ended":
        return status in FINAL
    return wanted in ("all", status)


ROUTES = (
    Route("POST", "/v1/subscriptions", create, declared.CREATE),
    Route("GET", "/v1/subscriptions", listing, declared.LIST),
    Route("GET", "/v1/subscriptions/{subscription}", retrieve),
    Route("POST", "/v1/subscriptions/{subscription}", update, declared.UPDATE),
    Route("DELETE", "/v1/subscriptions/{subscription}", cancel, declared.CANCEL),
    Route("POST", "/v1/subscriptions/{subscription}/resume", resume, declared.RESUME),
)
