"""Which of Stripe's objects are ours to compare: those of our product family, and what our customers paid for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keywright.billing import service as billing
from keywright.billing.rules import paid_with, reference, subscription_details
from keywright.catalog import service as catalog
from keywright.customers import service as customers
from keywright.platform.db import Transaction
from keywright.reconciliation import mirror, repository
from keywright.reconciliation.mirror import Subject
from keywright.reconciliation.models import Fields
from keywright.stripe_sync.normalize import normalize


def concerns_us(tx: Transaction, subject: Subject, held: Mapping[str, Fields], product_family: str) -> bool:
    """Tell whether an object is of our family, or in the mirror though it is not."""
    return subject["id"] in held or _RELEVANT.get(subject["object"], _is_of_family)(tx, subject, product_family)


def _is_of_family(_tx: Transaction, subject: Subject, product_family: str) -> bool:
    own = subject.get("metadata") or {}
    of_subscription = subscription_details(normalize(subject)).get("metadata") or {}
    return product_family in {own.get("product_family"), of_subscription.get("product_family")}


def _is_bill_of_ours(tx: Transaction, subject: Subject, product_family: str) -> bool:
    """Tell whether an invoice is of our family, or of a subscription in the mirror, whatever family that names now."""
    if _is_of_family(tx, subject, product_family):
        return True
    subscription_id = reference(subscription_details(normalize(subject)).get("subscription"))
    return subscription_id is not None and bool(repository.list_subscriptions(tx, subscription_ids=[subscription_id]))


def _is_price_of_ours(tx: Transaction, subject: Subject, _product_family: str) -> bool:
    return catalog.find_product(tx, product_id=mirror.product_id_of(subject)) is not None


def _is_ended_session(tx: Transaction, subject: Subject, product_family: str) -> bool:
    """Tell whether a session led to something; Stripe tells nothing of one that is open."""
    return subject.get("status") != "open" and _is_of_family(tx, subject, product_family)


def _is_by_customer(tx: Transaction, subject: Subject, product_family: str) -> bool:
    """Tell whether one of our customers paid. Payments of invoices name no family."""
    family = (subject.get("metadata") or {}).get("product_family", product_family)
    customer_id = reference(subject.get("customer"))
    if family != product_family or customer_id is None:
        return False
    return customers.find_by_stripe_customer(tx, customer_id) is not None


def _is_of_charge(tx: Transaction, subject: Subject, _product_family: str) -> bool:
    """Tell whether a charge of ours is given back: one that is mirrored, or on its way to be."""
    charge_id = reference(subject.get("charge"))
    if charge_id is None:
        return False
    if billing.find_charge(tx, charge_id=charge_id) is not None:
        return True
    stored = repository.list_stored(tx, object_ids=[charge_id]).get(charge_id, [])
    return any(event.state != "IGNORED" for event in stored)


def _is_of_invoice(tx: Transaction, subject: Subject, _product_family: str) -> bool:
    """Tell whether an invoice of ours was paid; Stripe tells nothing of a payment that is still open."""
    invoice_id = reference(subject.get("invoice"))
    if invoice_id is None or subject.get("status") != "paid" or paid_with(subject) is None:
        return False
    return bool(repository.list_invoices(tx, invoice_ids=[invoice_id]))


_RELEVANT: dict[str, Callable[[Transaction, Subject, str], bool]] = {
    "price": _is_price_of_ours,
    "invoice": _is_bill_of_ours,
    "checkout.session": _is_ended_session,
    "payment_intent": _is_by_customer,
    "charge": _is_by_customer,
    "refund": _is_of_charge,
    "dispute": _is_of_charge,
    "invoice_payment": _is_of_invoice,
    "payment_method": _is_by_customer,
}
