"""Invoices: draft, then open with a number, then paid."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Fields, Text
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id

_STATUSES = ("draft", "open", "paid", "uncollectible", "void")


def finalize(account: Account, invoice: Object) -> None:
    """Give the invoice its number and open it for payment."""
    customer = account.store.get("customer", invoice["customer"])
    with account.journal.changing(customer, "customer.updated"):
        sequence = customer["next_invoice_sequence"]
        customer["next_invoice_sequence"] = sequence + 1
        customer["currency"] = invoice["currency"]
    now = account.clock.now()
    invoice["number"] = f"{customer['invoice_prefix']}-{sequence:04}"
    invoice["status"] = "open"
    invoice["effective_at"] = now
    invoice["ending_balance"] = 0
    invoice["hosted_invoice_url"] = f"{account.public_url}/i/{invoice['id']}"
    invoice["status_transitions"]["finalized_at"] = now
    account.journal.record("invoice.finalized", invoice)


def pay(account: Account, invoice: Object, intent: Object | None) -> None:
    """Mark an open invoice as paid by an intent that succeeded, or by nothing if nothing was due."""
    now = account.clock.now()
    invoice["status"] = "paid"
    invoice["attempted"] = True
    invoice["auto_advance"] = False
    invoice["amount_paid"], invoice["amount_remaining"] = invoice["amount_due"], 0
    invoice["status_transitions"]["paid_at"] = now
    invoice["webhooks_delivered_at"] = now
    if intent is not None:
        invoice["attempt_count"] = 1
        payment = _payment(invoice, intent, now)
        invoice["payments"]["data"].append(payment)
        account.create(payment, "invoice_payment.paid")
    account.journal.record("invoice.paid", invoice)
    account.journal.record("invoice.payment_succeeded", invoice)


def _payment(invoice: Object, intent: Object, now: int) -> Object:
    return {
        "id": new_id("invoice_payment"),
        "object": "invoice_payment",
        "amount_paid": intent["amount"],
        "amount_requested": intent["amount"],
        "created": now,
        "currency": intent["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "paid",
        "status_transitions": {"canceled_at": None, "paid_at": now},
    }


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/invoices/{invoice}``."""
    return account.store.get("invoice", call.names["invoice"])


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
        and subscription in (None, value["parent"]["subscription_details"]["subscription"])
    ]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route(
        "GET",
        "/v1/invoices",
        listing,
        Fields(
            {
                **PAGE_PARAMETERS,
                "collection_method": Choice(("charge_automatically", "send_invoice")),
                "created": CREATED,
                "customer": Text(),
                "status": Choice(_STATUSES),
                "subscription": Text(),
            }
        ),
    ),
    Route("GET", "/v1/invoices/{invoice}", retrieve),
    Route("GET", "/v1/invoices/{invoice}/lines", lines, Fields(PAGE_PARAMETERS)),
)
