"""Invoices: made by subscriptions or by hand, read, and changed while they are drafts."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid, missing
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Fields, Flag, Integer, Kind, Metadata, Text, merged_metadata
from infra.local.stripe.resources import invoice_objects, payment_methods
from infra.local.stripe.resources.billing import collection, pending
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object

_STATUSES = ("draft", "open", "paid", "uncollectible", "void")
_DAY_S = 86_400
_AFTER_DRAFT = frozenset({"auto_advance", "default_payment_method", "description", "metadata"})


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoices``: an invoice by hand, which advances by itself only if asked to."""
    given = call.parameters
    subscription = _subscription(account, given)
    customer_id = given.get("customer") or (subscription or {}).get("customer")
    if customer_id is None:
        raise invalid("Missing required param: customer.", param="customer", code="parameter_missing")
    customer = account.store.get("customer", customer_id, param="customer")
    currency = given.get("currency") or (subscription or customer)["currency"] or "usd"
    _require_due_date(given)
    invoice = invoice_objects.build(
        account,
        customer=customer,
        subscription=subscription,
        lines=[],
        reason="manual",
        currency=currency,
        details=given,
    )
    invoice["auto_advance"] = given.get("auto_advance", False)
    if given.get("default_payment_method"):
        method = payment_methods.usable_by(account, given["default_payment_method"], customer)
        invoice["default_payment_method"] = method
    if given.get("pending_invoice_items_behavior", "exclude") == "include" or subscription:
        owner = subscription["id"] if subscription else None
        pending.take_up(account, pending.waiting(account, customer["id"], currency, owner), invoice)
        invoice_objects.total_up(invoice)
    collection.advance_later(account, invoice)
    return account.create(invoice, "invoice.created")


def _require_due_date(given: dict[str, Any]) -> None:
    if given.get("collection_method") == "send_invoice" and not given.keys() & {"days_until_due", "due_date"}:
        raise invalid("An invoice that is sent needs days_until_due or due_date.", param="days_until_due")


def _subscription(account: Account, given: dict[str, Any]) -> Object | None:
    identifier = given.get("subscription")
    return account.store.get("subscription", identifier, param="subscription") if identifier else None


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/invoices/{invoice}``."""
    invoice = account.store.get("invoice", call.names["invoice"])
    if invoice.get("deleted"):
        raise missing("invoice", invoice["id"])
    return invoice


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoices/{invoice}``."""
    invoice, given = retrieve(account, call), dict(call.parameters)
    refused = set() if invoice["status"] == "draft" else given.keys() - _AFTER_DRAFT
    if refused:
        message = f"Finalized invoices can't be updated in this way; {min(refused)} can only be changed on drafts."
        raise invalid(message, param=min(refused), code="invoice_not_editable")
    _require_due_date(given)
    with account.journal.changing(invoice, "invoice.updated"):
        invoice["metadata"] = merged_metadata(invoice["metadata"], given.pop("metadata", None))
        days = given.pop("days_until_due", None)
        if days is not None:
            invoice["due_date"] = invoice["created"] + days * _DAY_S
        if given.get("default_payment_method"):
            customer = account.store.get("customer", invoice["customer"])
            given["default_payment_method"] = payment_methods.usable_by(
                account, given["default_payment_method"], customer
            )
        invoice.update(given)
        if "auto_advance" in given and invoice["status"] == "draft":
            collection.advance_later(account, invoice)
    return invoice


def delete(account: Account, call: Call) -> Object:
    """Answer ``DELETE /v1/invoices/{invoice}``; the items on it wait again."""
    invoice = retrieve(account, call)
    if invoice["status"] != "draft" or invoice["billing_reason"] != "manual":
        raise invalid("You can only delete draft invoices that no subscription made.", code="invoice_not_editable")
    for item in account.store.newest_first("invoiceitem"):
        if item["invoice"] == invoice["id"]:
            item["invoice"] = None
    account.journal.record("invoice.deleted", invoice)
    tombstone = account.store.remove(invoice)
    # Plans made for the draft hold it by reference, and must see that it is gone.
    invoice["deleted"] = True
    return tombstone


def lines(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/invoices/{invoice}/lines``."""
    return page(retrieve(account, call)["lines"]["data"], call.parameters, call.path)


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/invoices``."""
    subscription = call.parameters.get("subscription")
    found = [
        value
        for value in account.store.newest_first("invoice")
        if matches(value, call.parameters, ("collection_method", "customer", "status"))
        and subscription in (None, _owner(value))
    ]
    return page(found, call.parameters, call.path)


def _owner(invoice: Object) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    owner: str | None = details["subscription"] if details else None
    return owner


_COLLECTION = Choice(("charge_automatically", "send_invoice"))
_DETAILS: dict[str, Kind] = {
    "auto_advance": Flag(),
    "collection_method": _COLLECTION,
    "days_until_due": Integer(minimum=0),
    "default_payment_method": Text(),
    "description": Text(1500),
    "due_date": Integer(),
    "footer": Text(),
    "metadata": Metadata(),
}
_CREATE = Fields(
    {
        **_DETAILS,
        "currency": Text(3),
        "customer": Text(),
        "pending_invoice_items_behavior": Choice(("exclude", "include")),
        "subscription": Text(),
    }
)
_LIST = Fields(
    {
        **PAGE_PARAMETERS,
        "collection_method": _COLLECTION,
        "created": CREATED,
        "customer": Text(),
        "status": Choice(_STATUSES),
        "subscription": Text(),
    }
)
ROUTES = (
    Route("POST", "/v1/invoices", create, _CREATE),
    Route("GET", "/v1/invoices", listing, _LIST),
    Route("GET", "/v1/invoices/{invoice}", retrieve),
    Route("POST", "/v1/invoices/{invoice}", update, Fields(_DETAILS)),
    Route("DELETE", "/v1/invoices/{invoice}", delete),
    Route("GET", "/v1/invoices/{invoice}/lines", lines, Fields(PAGE_PARAMETERS)),
)
