"""Payment intents: what is to be paid, across the charges that try to pay it."""

from __future__ import annotations

import copy
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.cards import Decline
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Fields, Text, merged_metadata
from infra.local.stripe.resources import charges
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id, random_text

_FIXED: Object = {
    "amount_capturable": 0,
    "application": None,
    "application_fee_amount": None,
    "automatic_payment_methods": None,
    "canceled_at": None,
    "cancellation_reason": None,
    "capture_method": "automatic_async",
    "confirmation_method": "automatic",
    "customer_account": None,
    "excluded_payment_method_types": None,
    "livemode": False,
    "next_action": None,
    "on_behalf_of": None,
    "payment_method_configuration_details": None,
    "processing": None,
    "review": None,
    "shipping": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_data": None,
    "transfer_group": None,
}


def add(account: Account, *, amount: int, currency: str, customer: str | None, details: dict[str, Any]) -> Object:
    """Create an intent that waits for a payment method; ``details`` are what the session gave for it."""
    identifier = new_id("payment_intent")
    intent: Object = {
        "id": identifier,
        "object": "payment_intent",
        **_FIXED,
        "amount": amount,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "client_secret": f"{identifier}_secret_{random_text(25)}",
        "created": account.clock.now(),
        "currency": currency,
        "customer": customer,
        "description": details.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "metadata": merged_metadata({}, details.get("metadata")),
        "payment_method": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "receipt_email": details.get("receipt_email"),
        "setup_future_usage": details.get("setup_future_usage"),
        "status": "requires_payment_method",
    }
    return account.create(intent, "payment_intent.created")


def succeed(account: Account, intent: Object, method: Object) -> Object:
    """Charge the card and mark the intent as paid; return the charge."""
    intent["payment_method"] = method["id"]
    charge = charges.add(account, intent, method)
    intent.update(
        {
            "amount_received": intent["amount"],
            "last_payment_error": None,
            "next_action": None,
            "latest_charge": charge["id"],
            "status": "succeeded",
        }
    )
    account.journal.record("payment_intent.succeeded", intent)
    return charge


def fail(account: Account, intent: Object, method: Object, decline: Decline) -> Object:
    """Record a declined attempt; the intent waits for another card. Return what went wrong."""
    charge = charges.add(account, intent, method, decline=decline)
    error = {
        "charge": charge["id"],
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
        "payment_method": copy.deepcopy(method),
        "type": "card_error",
    }
    intent.update(
        {
            "last_payment_error": error,
            "latest_charge": charge["id"],
            "next_action": None,
            "payment_method": None,
            "status": "requires_payment_method",
        }
    )
    account.journal.record("payment_intent.payment_failed", intent)
    return error


def process(account: Account, intent: Object, method: Object) -> None:
    """Wait for the bank, which will pay or refuse within days."""
    intent.update({"payment_method": method["id"], "status": "processing"})
    account.journal.record("payment_intent.processing", intent)


def ask(account: Account, intent: Object, method: Object) -> None:
    """Wait for the customer to authenticate; nothing is charged before that."""
    intent.update(
        {
            "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}},
            "payment_method": method["id"],
            "status": "requires_action",
        }
    )
    account.journal.record("payment_intent.requires_action", intent)


def cancel(account: Account, intent: Object, reason: str) -> None:
    """Give an intent up that nobody will pay any more."""
    if intent["status"] in ("canceled", "succeeded"):
        return
    now = account.clock.now()
    intent.update({"canceled_at": now, "cancellation_reason": reason, "next_action": None, "status": "canceled"})
    account.journal.record("payment_intent.canceled", intent)


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/payment_intents/{intent}``."""
    return account.store.get("payment_intent", call.names["intent"])


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/payment_intents``."""
    intents = account.store.newest_first("payment_intent")
    found = [value for value in intents if matches(value, call.parameters, ("customer",))]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route(
        "GET",
        "/v1/payment_intents",
        listing,
        Fields({**PAGE_PARAMETERS, "created": CREATED, "customer": Text()}),
    ),
    Route("GET", "/v1/payment_intents/{intent}", retrieve),
)
