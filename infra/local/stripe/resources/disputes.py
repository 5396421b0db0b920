"""Disputes: a customer's bank takes a charge back, and decides later who keeps the money."""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.listing import CREATED, PAGE_PARAMETERS, matches, page
from infra.local.stripe.parameters import Fields, Flag, Metadata, Text, merged_metadata
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id

REASONS = (
    "credit_not_processed",
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
_TIME_TO_ANSWER_S = 7 * 86_400
_OPEN = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
# Evidence that decides a test dispute at once, as Stripe's own test mode has it.
_VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}
_EVIDENCE = tuple(
    """
    access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal
    customer_communication customer_email_address customer_name customer_purchase_ip customer_signature
    duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt
    refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation
    shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number
    uncategorized_file uncategorized_text
    """.split()
)


def add(account: Account, charge: Object, amount: int, reason: str, *, kind: str = "chargeback") -> Object:
    """Open a dispute: with a chargeback the bank takes the money at once, with an inquiry it only asks."""
    asks = kind == "inquiry"
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise invalid("Only a charge that succeeded and is not disputed yet can be disputed.", param="charge")
    now = account.clock.now()
    dispute: Object = {
        "id": new_id("dispute"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + _TIME_TO_ANSWER_S,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": asks,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": charge["payment_method_details"]["card"]["brand"],
                "case_type": kind,
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": "warning_needs_response" if asks else "needs_response",
    }
    charge["disputed"] = True
    account.create(dispute, "charge.dispute.created")
    if not asks:
        account.journal.record("charge.dispute.funds_withdrawn", dispute)
    return dispute


def decide(account: Account, dispute: Object, status: str) -> Object:
    """Close an open dispute as won, which brings the money back, or as lost; an inquiry had taken nothing."""
    if dispute["status"] not in _OPEN:
        raise invalid(f"This dispute is already closed: {dispute['status']}.")
    asked = dispute["status"].startswith("warning_")
    dispute["status"] = "warning_closed" if asked else status
    account.journal.record("charge.dispute.closed", dispute)
    if dispute["status"] == "won":
        account.journal.record("charge.dispute.funds_reinstated", dispute)
    return dispute


def retrieve(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/disputes/{dispute}``."""
    return account.store.get("dispute", call.names["dispute"])


def update(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/disputes/{dispute}``: keep evidence, and send it to the bank unless told to wait."""
    dispute, given = retrieve(account, call), call.parameters
    if dispute["status"] not in _OPEN:
        raise invalid("Evidence can be given for an open dispute only.", param="evidence")
    with account.journal.changing(dispute, "charge.dispute.updated"):
        dispute["metadata"] = merged_metadata(dispute["metadata"], given.get("metadata"))
        if given.get("evidence"):
            dispute["evidence"].update(given["evidence"])
            dispute["evidence_details"]["has_evidence"] = True
            if given.get("submit", True):
                dispute["evidence_details"]["submission_count"] += 1
                asked = dispute["status"].startswith("warning_")
                dispute["status"] = "warning_under_review" if asked else "under_review"
    verdict = _VERDICTS.get(dispute["evidence"]["uncategorized_text"] or "")
    return decide(account, dispute, verdict) if verdict and given.get("submit", True) else dispute


def close(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/disputes/{dispute}/close``: give in, which cannot be taken back."""
    return decide(account, retrieve(account, call), "lost")


def listing(account: Account, call: Call) -> Object:
    """Answer ``GET /v1/disputes``."""
    disputes = account.store.newest_first("dispute")
    found = [value for value in disputes if matches(value, call.parameters, ("charge", "payment_intent"))]
    return page(found, call.parameters, call.path)


ROUTES = (
    Route(
        "GET",
        "/v1/disputes",
        listing,
        Fields({**PAGE_PARAMETERS, "charge": Text(), "created": CREATED, "payment_intent": Text()}),
    ),
    Route("GET", "/v1/disputes/{dispute}", retrieve),
    Route(
        "POST",
        "/v1/disputes/{dispute}",
        update,
        Fields({"evidence": Fields({name: Text() for name in _EVIDENCE}), "metadata": Metadata(), "submit": Flag()}),
    ),
    Route("POST", "/v1/disputes/{dispute}/close", close),
)
