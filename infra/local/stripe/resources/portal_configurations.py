"""Configurations of the billing portal: what customers may do there. One default exists, unless told otherwise."""

from __future__ import annotations

import copy
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.listing import PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Each, Fields, Flag, Metadata, Text, merged_metadata
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id

_REASONS = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)
_UPDATES = ("address", "email", "name", "phone", "shipping", "tax_id")
_FEATURES: Object = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": list(_REASONS)},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": None,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
_OPEN: dict[str, Any] = {
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True},
}
_PROFILE = ("headline", "privacy_policy_url", "terms_of_service_url")


def default(account: Account) -> Object:
    """Return the configuration for sessions that name none; one that the API made never is."""
    if not account.has_portal_default:
        raise invalid("No configuration provided and your test mode default configuration has not been created.")
    configurations = account.store.newest_first("billing_portal.configuration")
    found = next((value for value in configurations if value["is_default"]), None)
    return found or _add(account, {"features": _OPEN}, is_default=True)


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/billing_portal/configurations``."""
    return _add(account, call.parameters, is_default=False)


def _add(account: Account, given: dict[str, Any], *, is_default: bool) -> Object:
    now = account.clock.now()
    configuration: Object = {
        "id": new_id("billing_portal.configuration"),
        "object": "billing_portal.configuration",
        "active": True,
        "application": None,
        "business_profile": dict.fromkeys(_PROFILE),
        "created": now,
        "default_return_url": None,
        "features": copy.deepcopy(_FEATURES),
        "is_default": is_default,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": now,
    }
    _apply(configuration, given)
    return account.create(configuration, "billing_portal.configuration.created")


def _apply(configuration: Object, given: dict[str, Any]) -> None:
    for name, terms in given.get("features", {}).items():
        configuration["features"][name].update(terms)
    configuration["business_profile"].update(given.get("business_profile", {}))
    plain = ("active", "default_return_url", "name")
    configuration.update({name: given[name] for name in plain if name in given})
    configuration["metadata"] = merged_metadata(configuration["metadata"], given.get("metadata"))


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/billing_portal/configurations/{configuration}``."""
    return account.store.get("billing_portal.configuration", call.names["configuration"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/billing_portal/configurations/{configuration}``."""
    configuration = retrieve(account, call)
    with account.journal.changing(configuration, "billing_portal.configuration.updated"):
        before = copy.deepcopy(configuration)
        _apply(configuration, call.parameters)
        if configuration != before:
            configuration["updated"] = account.clock.now()
    return configuration


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/billing_portal/configurations``."""
    if account.has_portal_default:
        default(account)
    found = [
        value
        for value in account.store.newest_first("billing_portal.configuration")
        if matches(value, call.parameters, ("active", "is_default"))
        and (account.has_portal_default or not value["is_default"])
    ]
    return page(found, call.parameters, call.path)


_ENABLED = Fields({"enabled": Flag()}, required=("enabled",))
_DETAILS = Fields(
    {
        "business_profile": Fields({name: Text() for name in _PROFILE}),
        "default_return_url": Text(),
        "features": Fields(
            {
                "customer_update": Fields({"allowed_updates": Each(Choice(_UPDATES)), "enabled": Flag()}),
                "invoice_history": _ENABLED,
                "payment_method_update": _ENABLED,
                "subscription_update": Fields(
                    {
                        "default_allowed_updates": Each(Choice(("price", "promotion_code", "quantity"))),
                        "enabled": Flag(),
                        "products": Each(Fields({"prices": Each(Text()), "product": Text()})),
                        "proration_behavior": Choice(("always_invoice", "create_prorations", "none")),
                    },
                    required=("enabled",),
                ),
                "subscription_cancel": Fields({"enabled": Flag(), "mode": Choice(("at_period_end", "immediately"))}),
            }
        ),
        "metadata": Metadata(),
        "name": Text(256),
    }
)
ROUTES = (
    Route("POST", "/v1/billing_portal/configurations", create, Fields(_DETAILS.kinds, required=("features",))),
    Route(
        "GET",
        "/v1/billing_portal/configurations",
        listing,
        Fields({**PAGE_PARAMETERS, "active": Flag(), "is_default": Flag()}),
    ),
    Route("GET", "/v1/billing_portal/configurations/{configuration}", retrieve),
    Route(
        "POST",
        "/v1/billing_portal/configurations/{configuration}",
        update,
        Fields({**_DETAILS.kinds, "active": Flag()}),
    ),
)
