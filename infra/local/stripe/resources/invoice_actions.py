"""What can be done to an invoice: finalize, pay, send, void, write off."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import StripeError, invalid
from infra.local.stripe.parameters import Fields, Flag, Text
from infra.local.stripe.resources import payment_methods
from infra.local.stripe.resources.billing import collection, payments
from infra.local.stripe.resources.invoices import retrieve
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object


def _in_status(account: Account, call: Call, *allowed: str) -> Object:
    invoice = retrieve(account, call)
    if invoice["status"] not in allowed:
        message = f"This invoice is {invoice['status']}; that can only be done to an invoice that is {allowed[0]}."
        raise invalid(message, code="invoice_not_editable")
    return invoice


def finalize(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoices/{invoice}/finalize``."""
    invoice = _in_status(account, call, "draft")
    invoice["auto_advance"] = call.parameters.get("auto_advance", invoice["auto_advance"])
    collection.finalize(account, invoice)
    if invoice["auto_advance"]:
        collection.collect(account, invoice)
    return invoice


def pay(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoices/{invoice}/pay``."""
    given = call.parameters
    invoice = retrieve(account, call)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    _in_status(account, call, "open", "draft", "uncollectible")
    method = _method(account, invoice, given)
    if invoice["status"] == "draft":
        collection.finalize(account, invoice)
    if invoice["status"] == "paid":
        return invoice
    if method is None:
        collection.pay_out_of_band(account, invoice)
        return invoice
    off_session = given.get("off_session", True)
    paid = collection.collect(account, invoice, method=method, off_session=off_session, scheduled=False)
    if not paid:
        raise _refusal(account, invoice)
    return invoice


def _method(account: Account, invoice: Object, given: dict[str, Any]) -> Object | None:
    """Return what to charge; None where the money came another way."""
    if given.get("paid_out_of_band"):
        return None
    customer = account.store.get("customer", invoice["customer"])
    if given.get("payment_method"):
        identifier = payment_methods.usable_by(account, given["payment_method"], customer, "payment_method")
        return account.store.get("payment_method", identifier)
    method = payments.method_for(account, invoice)
    if method is None:
        message = "There is no `default_payment_method` set on this Customer or Invoice. Please set one."
        raise invalid(message, code="resource_missing")
    return method


def _refusal(account: Account, invoice: Object) -> StripeError:
    """Return the bank's reason as the answer to a payment that failed."""
    intent = payments.intent_of(account, invoice) or {}
    error = intent.get("last_payment_error")
    if intent["status"] == "requires_action" or error is None:
        message = "This payment requires additional user action before it can be completed successfully."
        return StripeError(message, status=402, kind="card_error", code="invoice_payment_intent_requires_action")
    details = {"charge": error["charge"], "decline_code": error["decline_code"]}
    return StripeError(error["message"], status=402, kind="card_error", code=error["code"], details=details)


def void(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoices/{invoice}/void``."""
    invoice = _in_status(account, call, "open", "uncollectible")
    collection.void(account, invoice)
    return invoice


def mark_uncollectible(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoices/{invoice}/mark_uncollectible``."""
    invoice = _in_status(account, call, "open")
    collection.write_off(account, invoice)
    return invoice


def send(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoices/{invoice}/send``."""
    invoice = _in_status(account, call, "open", "draft")
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only send invoices whose collection_method is send_invoice.")
    if invoice["status"] == "draft":
        collection.finalize(account, invoice)
    account.journal.record("invoice.sent", invoice)
    return invoice


_PAY = Fields({"off_session": Flag(), "paid_out_of_band": Flag(), "payment_method": Text()})
ROUTES = (
    Route("POST", "/v1/invoices/{invoice}/finalize", finalize, Fields({"auto_advance": Flag()})),
    Route("POST", "/v1/invoices/{invoice}/pay", pay, _PAY),
    Route("POST", "/v1/invoices/{invoice}/void", void),
    Route("POST", "/v1/invoices/{invoice}/mark_uncollectible", mark_uncollectible),
    Route("POST", "/v1/invoices/{invoice}/send", send),
)
