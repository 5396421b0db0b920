"""Stripe's payments, their methods, refunds, disputes and Checkout Sessions, and our mirror of them, as flat fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keywright.billing import payment_rules as payments
from keywright.checkout import rules as checkout
from keywright.checkout.models import CheckoutState
from keywright.platform.db import Row, Transaction
from keywright.reconciliation import repository
from keywright.reconciliation.models import Fields
from keywright.reconciliation.rules import flatten
from keywright.stripe_sync.normalize import normalize

Subject = Mapping[str, Any]

# Old API versions name the invoice on the payment, new ones do not: it is no difference.
_INTENT = (
    "stripe_customer_id", "latest_charge_id", "status", "amount", "amount_received", "currency", "created_at",
)  # fmt: skip
_CHARGE = (
    "stripe_customer_id", "payment_intent_id", "status", "amount", "amount_captured", "amount_refunded", "currency",
    "failure_code", "card_brand", "card_last4", "card_exp_month", "card_exp_year", "created_at",
)  # fmt: skip
_GIVEN_BACK = ("charge_id", "payment_intent_id", "status", "amount", "currency", "reason", "created_at")
_SESSION = ("state", "payment_status", "subscription_id", "payment_intent_id")
_LINK = ("invoice_id", "payment_id")
_METHOD = (
    "stripe_customer_id", "method_type", "card_brand", "card_last4", "card_exp_month", "card_exp_year", "created_at",
)  # fmt: skip

# Stripe tells nothing of a session before it has come to an end.
_UNTOLD = frozenset({CheckoutState.CREATING, CheckoutState.OPEN})


def _session_fields(subject: Subject) -> Fields:
    session = checkout.read_session(subject)
    return _told_of_session({**vars(session), "state": session.status.upper()})


def _told_of_session(row: Mapping[str, Any]) -> Fields:
    return flatten(row, only=("state",) if row["state"] in _UNTOLD else _SESSION)


def _our_sessions(tx: Transaction, subjects: Sequence[Subject]) -> dict[str, Fields]:
    rows = repository.list_sessions(tx, stripe_session_ids=_ids(subjects))
    return {sid: _told_of_session(row) for sid, row in rows.items()}


def _our_links(tx: Transaction, subjects: Sequence[Subject]) -> dict[str, Fields]:
    """Return links by Stripe's id of them, which the mirror does not keep: two ids that belong together are enough."""
    links = {subject["id"]: flatten(vars(payments.read_invoice_payment(subject)), only=_LINK) for subject in subjects}
    kept = repository.list_invoice_payments(
        tx, invoice_ids=sorted({str(link["invoice_id"]) for link in links.values()})
    )
    return {sid: link for sid, link in links.items() if (link["invoice_id"], link["payment_id"]) in kept}


def _ours(
    listed: Callable[[Transaction, Sequence[str]], dict[str, Row]], only: Sequence[str]
) -> Callable[[Transaction, Sequence[Subject]], dict[str, Fields]]:
    def look(tx: Transaction, subjects: Sequence[Subject]) -> dict[str, Fields]:
        return {sid: flatten(row, only=only) for sid, row in listed(tx, _ids(subjects)).items()}

    return look


def _ids(subjects: Sequence[Subject]) -> list[str]:
    return [subject["id"] for subject in subjects]


THEIRS: dict[str, Callable[[Subject], Fields]] = {
    "checkout.session": _session_fields,
    "payment_intent": lambda subject: flatten(vars(payments.read_payment_intent(normalize(subject))), only=_INTENT),
    "charge": lambda subject: flatten(vars(payments.read_charge(subject)), only=_CHARGE),
    "refund": lambda subject: flatten(vars(payments.read_refund(subject)), only=_GIVEN_BACK),
    "dispute": lambda subject: flatten(vars(payments.read_dispute(subject)), only=_GIVEN_BACK),
    "invoice_payment": lambda subject: flatten(vars(payments.read_invoice_payment(subject)), only=_LINK),
    "payment_method": lambda subject: flatten(vars(payments.read_payment_method(subject)), only=_METHOD),
}
OURS: dict[str, Callable[[Transaction, Sequence[Subject]], dict[str, Fields]]] = {
    "checkout.session": _our_sessions,
    "payment_intent": _ours(repository.list_payment_intents, _INTENT),
    "charge": _ours(repository.list_charges, _CHARGE),
    "refund": _ours(repository.list_refunds, _GIVEN_BACK),
    "dispute": _ours(repository.list_disputes, _GIVEN_BACK),
    "invoice_payment": _our_links,
    "payment_method": _ours(repository.list_payment_methods, _METHOD),
}
