"""The payments of invoices, and the confirmation of the intents behind them."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.cards import Outcome
from infra.local.stripe.errors import StripeError, invalid
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Fields, Text
from infra.local.stripe.resources import payment_intents, payment_methods
from infra.local.stripe.resources.billing import collection, payments
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/invoice_payments/{invoice_payment}``."""
    return account.store.get("invoice_payment", call.names["invoice_payment"])


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/invoice_payments``."""
    wanted = call.parameters.get("payment", {})
    found = [
        payment
        for payment in account.store.newest_first("invoice_payment")
        if matches(payment, call.parameters, ("invoice", "status")) and wanted.items() <= payment["payment"].items()
    ]
    return page(found, call.parameters, call.path)


def confirm(account: Account, call: Call) -> Object:
    """Confirm the intent of an invoice: the customer pays what it asks for."""
    intent = account.store.get("payment_intent", call.names["intent"])
    invoice = payments.invoice_of(account, intent)
    if intent["status"] not in ("requires_payment_method", "requires_confirmation") or invoice is None:
        message = f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}."
        raise invalid(message, code="payment_intent_unexpected_state")
    customer = account.store.get("customer", invoice["customer"])
    given = call.parameters.get("payment_method")
    method = (
        account.store.get("payment_method", payment_methods.usable_by(account, given, customer, "payment_method"))
        if given
        else payments.method_for(account, invoice)
    )
    if method is None:
        raise invalid("You must provide a payment method to confirm with.", param="payment_method")
    off_session = call.parameters.get("off_session", False)
    paid = collection.collect(account, invoice, method=method, off_session=off_session, scheduled=False)
    error = intent["last_payment_error"]
    if not paid and intent["status"] == "requires_payment_method" and error:
        details = {"charge": error["charge"], "decline_code": error["decline_code"]}
        raise StripeError(error["message"], status=402, kind="card_error", code=error["code"], details=details)
    return intent


def authenticate(account: Account, intent: Object, outcome: Outcome) -> None:
    """End the customer's authentication: the bank is satisfied, or the payment fails."""
    if intent["status"] != "requires_action":
        raise invalid(f"Nobody waits for this authentication; the intent is {intent['status']}.")
    method = account.store.get("payment_method", intent["payment_method"])
    if outcome is Outcome.PAYS:
        payment_intents.succeed(account, intent, method)
    else:
        payment_intents.fail(account, intent, method, payments.decline_of(method))
    invoice = payments.invoice_of(account, intent)
    if invoice is not None and invoice["status"] == "open":
        collection.authenticated(account, invoice, paid=outcome is Outcome.PAYS)


_STATUS = Choice(("canceled", "open", "paid"))
_PAYMENT = Fields({"payment_intent": Text(), "type": Choice(("payment_intent",))}, required=("type",))
ROUTES = (
    Route(
        "GET",
        "/v1/invoice_payments",
        listing,
        Fields({**PAGE_PARAMETERS, "created": CREATED, "invoice": Text(), "payment": _PAYMENT, "status": _STATUS}),
    ),
    Route("GET", "/v1/invoice_payments/{invoice_payment}", retrieve),
)
