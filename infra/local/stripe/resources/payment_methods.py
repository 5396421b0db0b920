"""Payment methods: cards that the hosted page took, or that a test token stands for; attached to customers."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.cards import Card, card_of, find_card, find_token
from infra.local.stripe.errors import StripeError, invalid
from infra.local.stripe.listing import PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Fields, Integer, Kind, Metadata, Text, merged_metadata
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id

_NO_ADDRESS: dict[str, None] = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def billing_details(email: str | None, name: str | None = None) -> Object:
    """Return the billing details of a person who gave no address."""
    return {"address": dict(_NO_ADDRESS), "email": email, "name": name, "phone": None, "tax_id": None}


def add(account: Account, card: Card, customer: Object | None, email: str | None) -> Object:
    """Create the payment method of a card, attached if there is a customer to attach it to."""
    method: Object = {
        "id": new_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing_details(email),
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": card.brand,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "fingerprint": card.fingerprint,
            "funding": "credit",
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": account.clock.now(),
        "customer": None if customer is None else customer["id"],
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    if customer is None:
        return account.store.add(method)
    return account.create(method, "payment_method.attached")


def resolve(account: Account, given: str, param: str) -> Object:
    """Return the payment method of an id; a test token makes a new one, as it does at Stripe."""
    card = find_token(given) if account.store.find(given) is None else None
    return add(account, card, None, None) if card else account.store.get("payment_method", given, param=param)


def attach_to(account: Account, method: Object, customer: Object) -> Object:
    """Save a payment method for a customer, unless its bank refuses that."""
    if method["customer"] not in (None, customer["id"]):
        message = "The payment method you provided is already attached to another customer."
        raise invalid(message, param="payment_method")
    require_saveable(method)
    if method["customer"] is None:
        method["customer"] = customer["id"]
        account.journal.record("payment_method.attached", method)
    return method


def require_saveable(method: Object) -> None:
    """Refuse a card whose bank declines being saved."""
    card = card_of(method["card"]["fingerprint"])
    if not card.saves:
        details = {"decline_code": card.decline.decline_code}
        raise StripeError(card.decline.message, status=402, kind="card_error", code=card.decline.code, details=details)


def usable_by(account: Account, given: str, customer: Object, param: str = "default_payment_method") -> str:
    """Return the id of a customer's own payment method; a test token is attached on the way."""
    method = resolve(account, given, param)
    if method["customer"] is None and find_token(given):
        attach_to(account, method, customer)
    if method["customer"] != customer["id"]:
        message = f"The customer does not have a payment method with the ID {given}. Attach it to the customer first."
        raise invalid(message, param=param, code="resource_missing")
    return str(method["id"])


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/payment_methods``."""
    given = call.parameters
    details = given.get("card", {})
    card = find_token(details["token"]) if "token" in details else find_card(details.get("number", ""))
    if card is None:
        raise invalid("This is none of the test cards known here.", param="card", code="incorrect_number")
    method = add(account, card, None, None)
    _describe(method, given)
    return method


def _describe(method: Object, given: dict[str, Any]) -> None:
    method["billing_details"].update(
        {name: value for name, value in given.get("billing_details", {}).items() if name != "address"}
    )
    method["billing_details"]["address"].update(given.get("billing_details", {}).get("address", {}))
    method["metadata"] = merged_metadata(method["metadata"], given.get("metadata"))


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/payment_methods/{payment_method}``."""
    return account.store.get("payment_method", call.names["payment_method"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/payment_methods/{payment_method}``."""
    with account.journal.changing(retrieve(account, call), "payment_method.updated") as method:
        _describe(method, call.parameters)
    return method


def attach(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/payment_methods/{payment_method}/attach``."""
    customer = account.store.get("customer", call.parameters["customer"], param="customer")
    return attach_to(account, resolve(account, call.names["payment_method"], "payment_method"), customer)


def detach(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/payment_methods/{payment_method}/detach``."""
    method = retrieve(account, call)
    if method["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise invalid(message)
    customer = account.store.get("customer", method["customer"])
    if not customer.get("deleted") and customer["invoice_settings"]["default_payment_method"] == method["id"]:
        with account.journal.changing(customer, "customer.updated"):
            customer["invoice_settings"]["default_payment_method"] = None
    with account.journal.changing(method, "payment_method.detached"):
        method["customer"] = None
    return method


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/payment_methods`` and ``GET /v1/customers/{customer}/payment_methods``."""
    wanted = {**call.parameters, **call.names}
    if "customer" in wanted:
        account.store.get("customer", wanted["customer"], param=None if call.names else "customer")
    found = [
        method
        for method in account.store.newest_first("payment_method")
        if method["customer"] is not None and matches(method, wanted, ("customer", "type"))
    ]
    return page(found, call.parameters, call.path)


_PARTS = ("city", "country", "line1", "line2", "postal_code", "state")
_DESCRIPTION: dict[str, Kind] = {
    "billing_details": Fields(
        {
            "address": Fields({name: Text() for name in _PARTS}),
            "email": Text(),
            "name": Text(),
            "phone": Text(),
        }
    ),
    "metadata": Metadata(),
}
_CARD = Fields(
    {"cvc": Text(), "exp_month": Integer(), "exp_year": Integer(), "number": Text(), "token": Text()},
)
_LIST: dict[str, Kind] = {**PAGE_PARAMETERS, "type": Choice(("card",))}

ROUTES = (
    Route(
        "POST",
        "/v1/payment_methods",
        create,
        Fields({**_DESCRIPTION, "card": _CARD, "type": Choice(("card",))}, required=("type", "card")),
    ),
    Route("GET", "/v1/payment_methods", listing, Fields({**_LIST, "customer": Text()})),
    Route("GET", "/v1/payment_methods/{payment_method}", retrieve),
    Route("POST", "/v1/payment_methods/{payment_method}", update, Fields(_DESCRIPTION)),
    Route(
        "POST",
        "/v1/payment_methods/{payment_method}/attach",
        attach,
        Fields({"customer": Text()}, required=("customer",)),
    ),
    Route("POST", "/v1/payment_methods/{payment_method}/detach", detach),
    Route("GET", "/v1/customers/{customer}/payment_methods", listing, Fields(_LIST)),
)
