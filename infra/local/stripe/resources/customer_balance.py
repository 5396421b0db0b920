"""The transactions on a customer's balance: what invoices took or left there, and adjustments by hand."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.listing import PAGE_PARAMETERS, page
from infra.local.stripe.parameters import Fields, Integer, Metadata, Text, merged_metadata
from infra.local.stripe.resources.billing import balance
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/customers/{customer}/balance_transactions``."""
    customer, given = account.store.get("customer", call.names["customer"]), call.parameters
    with account.journal.changing(customer, "customer.updated"):
        transaction = balance.adjust(
            account,
            customer,
            given["amount"],
            kind="adjustment",
            currency=given["currency"].lower(),
            description=given.get("description"),
        )
    transaction["metadata"] = merged_metadata({}, given.get("metadata"))
    return transaction


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/customers/{customer}/balance_transactions``."""
    customer = account.store.get("customer", call.names["customer"])
    found = [
        transaction
        for transaction in account.store.newest_first("customer_balance_transaction")
        if transaction["customer"] == customer["id"]
    ]
    return page(found, call.parameters, call.path)


_CREATE = Fields(
    {"amount": Integer(), "currency": Text(3), "description": Text(), "metadata": Metadata()},
    required=("amount", "currency"),
)
ROUTES = (
    Route("POST", "/v1/customers/{customer}/balance_transactions", create, _CREATE),
    Route("GET", "/v1/customers/{customer}/balance_transactions", listing, Fields(PAGE_PARAMETERS)),
)
