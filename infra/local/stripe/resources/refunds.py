"""Refunds: all or part of a charge given back, in as many steps as the charge has money for."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Choice, Fields, Integer, Metadata, Text, merged_metadata
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id

_REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/refunds``."""
    given = call.parameters
    charge = _charge(account, given)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not left:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, code="charge_already_refunded")
    amount = given.get("amount", left)
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid(message, param="amount")
    return _add(account, charge, amount, given)


def _charge(account: Account, given: Object) -> Object:
    if (given.get("charge") is None) == (given.get("payment_intent") is None):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise invalid(message, param="charge", code="parameter_missing")
    if given.get("charge") is not None:
        charge = account.store.get("charge", given["charge"], param="charge")
    else:
        intent = account.store.get("payment_intent", given["payment_intent"], param="payment_intent")
        if intent["latest_charge"] is None:
            message = "This PaymentIntent does not have a successful charge to refund."
            raise invalid(message, param="payment_intent", code="payment_intent_unexpected_state")
        charge = account.store.get("charge", intent["latest_charge"], param="charge")
    if charge["status"] != "succeeded":
        raise invalid("A charge that did not succeed cannot be refunded.", param="charge")
    if charge["disputed"] and _lost_or_open(account, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise invalid(message, code="charge_disputed")
    return charge


def _lost_or_open(account: Account, charge: Object) -> bool:
    found = [dispute for dispute in account.store.newest_first("dispute") if dispute["charge"] == charge["id"]]
    return any(dispute["status"] != "won" for dispute in found)


def _add(account: Account, charge: Object, amount: int, given: Object) -> Object:
    refund: Object = {
        "id": new_id("refund"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": account.clock.now(),
        "currency": charge["currency"],
        "destination_details": {"card": {"reference_status": "pending", "type": "refund"}, "type": "card"},
        "metadata": merged_metadata({}, given.get("metadata")),
        "payment_intent": charge["payment_intent"],
        "reason": given.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    account.create(refund, "refund.created")
    with account.journal.changing(charge, "charge.refunded"):
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    return refund


def fail(account: Account, refund: Object) -> Object:
    """Take a refund back that the bank did not accept; the money is the account's again."""
    if refund["status"] != "succeeded":
        raise invalid(f"Only a refund that succeeded can fail; this one is {refund['status']}.")
    charge = account.store.get("charge", refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    with account.journal.changing(refund, "refund.updated"):
        refund["status"] = "failed"
        refund["failure_reason"] = "expired_or_canceled_card"
    account.journal.record("refund.failed", refund)
    return refund


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/refunds/{refund}``."""
    return account.store.get("refund", call.names["refund"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/refunds/{refund}``."""
    refund = retrieve(account, call)
    with account.journal.changing(refund, "refund.updated"):
        refund["metadata"] = merged_metadata(refund["metadata"], call.parameters.get("metadata"))
    return refund


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/refunds``."""
    found = [
        value
        for value in account.store.newest_first("refund")
        if matches(value, call.parameters, ("charge", "payment_intent"))
    ]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route(
        "POST",
        "/v1/refunds",
        create,
        Fields(
            {
                "amount": Integer(minimum=1),
                "charge": Text(),
                "metadata": Metadata(),
                "payment_intent": Text(),
                "reason": Choice(_REASONS),
            }
        ),
    ),
    Route(
        "GET",
        "/v1/refunds",
        listing,
        Fields({**PAGE_PARAMETERS, "charge": Text(), "created": CREATED, "payment_intent": Text()}),
    ),
    Route("GET", "/v1/refunds/{refund}", retrieve),
    Route("POST", "/v1/refunds/{refund}", update, Fields({"metadata": Metadata()})),
)
