"""Payment intents made by the API itself, outside of checkout and invoices: create, confirm, cancel."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.cards import NOT_AUTHENTICATED, Outcome, card_of
from infra.local.stripe.errors import StripeError, invalid
from infra.local.stripe.parameters import Choice, Each, Fields, Flag, Integer, Kind, Metadata, Text
from infra.local.stripe.rendering import render
from infra.local.stripe.resources import disputes, invoice_payments, payment_intents, payment_methods
from infra.local.stripe.resources.billing import payments
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_PARTS = ("carrier", "name", "phone", "tracking_number")


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/payment_intents``."""
    given = call.parameters
    if given.get("customer") is not None:
        account.store.get("customer", given["customer"], param="customer")
    intent = payment_intents.add(
        account,
        amount=given["amount"],
        currency=given["currency"].lower(),
        customer=given.get("customer"),
        details=given,
    )
    if given.get("shipping"):
        shipping = given["shipping"]
        address = {name: shipping.get("address", {}).get(name) for name in _ADDRESS}
        intent["shipping"] = {"address": address, **{name: shipping.get(name) for name in _PARTS}}
    if given.get("payment_method") is not None:
        intent["payment_method"] = payment_methods.resolve(account, given["payment_method"], "payment_method")["id"]
        intent["status"] = "requires_confirmation"
    return _confirm(account, intent, off_session=given.get("off_session", False)) if given.get("confirm") else intent


def confirm(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/payment_intents/{intent}/confirm``."""
    intent, given = payment_intents.retrieve(account, call), call.parameters
    if payments.invoice_of(account, intent) is not None:
        return invoice_payments.confirm(account, call)
    if intent["status"] not in _CONFIRMABLE:
        message = f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}."
        raise invalid(message, code="payment_intent_unexpected_state")
    if given.get("payment_method") is not None:
        intent["payment_method"] = payment_methods.resolve(account, given["payment_method"], "payment_method")["id"]
    return _confirm(account, intent, off_session=given.get("off_session", False))


def _confirm(account: Account, intent: Object, *, off_session: bool) -> Object:
    """Try to pay: the bank pays, asks for the customer, or says no, which is an error and yet leaves its traces."""
    if intent["payment_method"] is None:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise invalid(message, code="payment_intent_unexpected_state")
    method = account.store.get("payment_method", intent["payment_method"])
    outcome = payments.outcome_of(account, method, off_session=off_session)
    if outcome is Outcome.ASKS and not off_session:
        payment_intents.ask(account, intent, method)
        return intent
    if outcome is not Outcome.PAYS:
        decline = NOT_AUTHENTICATED if outcome is Outcome.ASKS else payments.decline_of(method)
        error = payment_intents.fail(account, intent, method, decline)
        details = {**error, "payment_intent": render(account.store, intent)}
        raise StripeError(decline.message, status=402, kind="card_error", code=decline.code, details=details)
    charge = payment_intents.succeed(account, intent, method)
    kind = card_of(method["card"]["fingerprint"]).disputes
    if kind is not None:
        disputes.add(account, charge, charge["amount"], "fraudulent", kind=kind)
    return intent


def cancel(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/payment_intents/{intent}/cancel``."""
    intent = payment_intents.retrieve(account, call)
    if intent["status"] in ("canceled", "succeeded"):
        message = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
        raise invalid(message, code="payment_intent_unexpected_state")
    payment_intents.cancel(account, intent, call.parameters.get("cancellation_reason") or "requested_by_customer")
    return intent


_CONFIRM: dict[str, Kind] = {"off_session": Flag(), "payment_method": Text(), "return_url": Text()}
ROUTES = (
    Route(
        "POST",
        "/v1/payment_intents",
        create,
        Fields(
            {
                **_CONFIRM,
                "amount": Integer(minimum=1),
                "confirm": Flag(),
                "currency": Text(3),
                "customer": Text(),
                "description": Text(),
                "metadata": Metadata(),
                "payment_method_types": Each(Choice(("card",))),
                "receipt_email": Text(),
                "setup_future_usage": Choice(("off_session", "on_session")),
                "shipping": Fields(
                    {**{name: Text() for name in _PARTS}, "address": Fields({name: Text() for name in _ADDRESS})}
                ),
            },
            required=("amount", "currency"),
        ),
    ),
    Route("POST", "/v1/payment_intents/{intent}/confirm", confirm, Fields(_CONFIRM)),
    Route(
        "POST",
        "/v1/payment_intents/{intent}/cancel",
        cancel,
        Fields({"cancellation_reason": Choice(_REASONS)}),
    ),
)
