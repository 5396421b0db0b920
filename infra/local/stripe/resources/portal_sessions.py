"""Sessions of the billing portal: a link that lets one customer in for a short while."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.parameters import Choice, Fields, Text
from infra.local.stripe.resources import portal_configurations
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id

# A link that nobody followed is good for five minutes, and one that was followed for an hour; the page cannot tell.
LIFE_S = 3600


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/billing_portal/sessions``."""
    given = call.parameters
    if given.get("customer") is None:
        raise invalid("Missing required param: customer.", param="customer", code="parameter_missing")
    identifier = new_id("billing_portal.session")
    session: Object = {
        "id": identifier,
        "object": "billing_portal.session",
        "configuration": _configuration(account, given)["id"],
        "created": account.clock.now(),
        "customer": account.store.get("customer", given["customer"], param="customer")["id"],
        "customer_account": None,
        "flow": _flow(account, given.get("flow_data")),
        "livemode": False,
        "locale": given.get("locale"),
        "on_behalf_of": None,
        "return_url": given.get("return_url"),
        "url": f"{account.public_url}/p/session/{identifier}",
    }
    return account.create(session, "billing_portal.session.created")


def _configuration(account: Account, given: Object) -> Object:
    name = given.get("configuration")
    if name is None:
        return portal_configurations.default(account)
    return account.store.get("billing_portal.configuration", name, param="configuration")


def _flow(account: Account, given: Object | None) -> Object | None:
    """A flow leads straight to one task; the page shows it first."""
    if not given:
        return None
    flow: Object = {
        "after_completion": {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"},
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": given["type"],
    }
    if given["type"] == "subscription_cancel":
        subscription = given.get("subscription_cancel", {}).get("subscription")
        if subscription is None:
            raise invalid("flow_data[subscription_cancel] is missing.", param="flow_data[subscription_cancel]")
        account.store.get("subscription", subscription, param="flow_data[subscription_cancel][subscription]")
        flow["subscription_cancel"] = {"retention": None, "subscription": subscription}
    return flow


ROUTES = (
    Route(
        "POST",
        "/v1/billing_portal/sessions",
        create,
        Fields(
            {
                "configuration": Text(),
                "customer": Text(),
                "flow_data": Fields(
                    {
                        "subscription_cancel": Fields({"subscription": Text()}, required=("subscription",)),
                        "type": Choice(("payment_method_update", "subscription_cancel")),
                    },
                    required=("type",),
                ),
                "locale": Text(),
                "return_url": Text(),
            }
        ),
    ),
)
