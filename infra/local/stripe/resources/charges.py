"""Charges: one attempt each to take money from a card."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.cards import Decline
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Fields, Text
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id

_FIXED: Object = {
    "amount_refunded": 0,
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": None,
    "calculated_statement_descriptor": "KEYWRIGHT TEST",
    "disputed": False,
    "failure_balance_transaction": None,
    "livemode": False,
    "on_behalf_of": None,
    "receipt_email": None,
    "receipt_number": None,
    "receipt_url": None,
    "refunded": False,
    "review": None,
    "shipping": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_data": None,
    "transfer_group": None,
}


def add(account: Account, intent: Object, method: Object, *, decline: Decline | None = None) -> Object:
    """Record the attempt to charge an intent's amount; the caller decided how it ends."""
    amount, declined = intent["amount"], decline is not None
    charge: Object = {
        "id": new_id("charge"),
        "object": "charge",
        **_FIXED,
        "amount": amount,
        "amount_captured": 0 if declined else amount,
        "billing_details": dict(method["billing_details"]),
        "captured": not declined,
        "created": account.clock.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(decline),
        "paid": not declined,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _method_details(method, amount),
        "status": "failed" if declined else "succeeded",
    }
    return account.create(charge, "charge.failed" if declined else "charge.succeeded")


def _outcome(decline: Decline | None) -> Object:
    declined = decline is not None
    return {
        "advice_code": "try_again_later" if declined else None,
        "network_advice_code": None,
        "network_decline_code": "02" if declined else None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": decline.decline_code if decline else None,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "The bank declined." if declined else "Payment complete.",
        "type": "issuer_declined" if declined else "authorized",
    }


def _method_details(method: Object, amount: int) -> Object:
    card = method["card"]
    shared = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "wallet")
    return {
        "card": {
            **{name: card[name] for name in shared},
            "amount_authorized": amount,
            "authorization_code": None,
            "extended_authorization": {"status": "disabled"},
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": card["brand"],
            "network_token": {"used": False},
            "network_transaction_id": None,
            "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
            "regulated_status": "unregulated",
            "three_d_secure": None,
        },
        "type": "card",
    }


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/charges/{charge}``."""
    return account.store.get("charge", call.names["charge"])


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/charges``."""
    found = [
        value
        for value in account.store.newest_first("charge")
        if matches(value, call.parameters, ("customer", "payment_intent"))
    ]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route(
        "GET",
        "/v1/charges",
        listing,
        Fields({**PAGE_PARAMETERS, "created": CREATED, "customer": Text(), "payment_intent": Text()}),
    ),
    Route("GET", "/v1/charges/{charge}", retrieve),
)
