"""Folds payments, what they are made with, refunds and disputes into the mirror, and judges what was paid for."""

from __future__ import annotations

from dataclasses import replace

from keywright.billing import service as billing
from keywright.billing.models import Charge, Dispute, PaymentIntent, Refund
from keywright.billing.rules import reference
from keywright.platform.db import Row, Transaction
from keywright.stripe_sync import histories, inbox, kinds, licenses, owners, repository
from keywright.stripe_sync.billing_folds import stamp
from keywright.stripe_sync.models import Desk, Ignored, Outcome, Parked, Processed, StripeEvent
from keywright.stripe_sync.observing import History


def fold_payment_intent(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a payment intent of one of our customers."""
    customer_sid = _customer(tx, desk, event)
    if isinstance(customer_sid, Ignored):
        return customer_sid
    history = histories.load_for(tx, desk, kinds.PAYMENT_INTENT, event)
    intent = replace(history.folded.state, invoice_id=_invoice_of(history))
    billing.mirror_payment_intent(tx, intent, stamp(history.folded), customer_sid=customer_sid)
    if intent.invoice_id is not None:
        licenses.judge_payment(
            tx, desk, payment_intent_id=intent.payment_intent_id, charge_id=None, invoice_id=intent.invoice_id
        )
    return Processed()


def fold_charge(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a charge of one of our customers."""
    customer_sid = _customer(tx, desk, event)
    inbox.release(tx, waiting_for=f"charge:{event.object_id}", now=desk.now)
    if isinstance(customer_sid, Ignored):
        return customer_sid
    history = histories.load_for(tx, desk, kinds.CHARGE, event)
    charge = replace(history.folded.state, invoice_id=_invoice_of(history))
    billing.mirror_charge(tx, charge, stamp(history.folded), customer_sid=customer_sid)
    licenses.judge_payment(
        tx,
        desk,
        payment_intent_id=charge.payment_intent_id,
        charge_id=charge.charge_id,
        invoice_id=charge.invoice_id,
    )
    return Processed()


def fold_refund(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a refund, once its charge is in the mirror."""
    history = histories.load_for(tx, desk, kinds.REFUND, event)
    charge = _charge(tx, desk, history.folded.state)
    if isinstance(charge, Ignored | Parked):
        return charge
    billing.mirror_refund(tx, history.folded.state, stamp(history.folded))
    _judge(tx, desk, charge)
    return Processed()


def fold_dispute(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror a dispute, once its charge is in the mirror."""
    history = histories.load_for(tx, desk, kinds.DISPUTE, event)
    charge = _charge(tx, desk, history.folded.state)
    if isinstance(charge, Ignored | Parked):
        return charge
    billing.mirror_dispute(tx, history.folded.state, stamp(history.folded))
    _judge(tx, desk, charge)
    return Processed()


def fold_invoice_payment(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Note which payment belongs to an invoice, whichever of the two comes first."""
    history = histories.load_for(tx, desk, kinds.INVOICE_PAYMENT, event)
    payment = history.folded.state
    billing.mirror_invoice_payment(tx, payment)
    subscription_id = billing.find_subscription_of_invoice(tx, invoice_id=payment.invoice_id)
    if subscription_id is not None:
        licenses.judge_subscription(tx, desk, subscription_id=subscription_id)
    return Processed()


def fold_payment_method(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    """Mirror what one of our customers pays with; one that was detached stays theirs."""
    history = histories.load_for(tx, desk, kinds.PAYMENT_METHOD, event)
    customer_ids = [seen.state.stripe_customer_id for seen in history.observations if seen.state.stripe_customer_id]
    if not customer_ids:
        return Ignored("the payment method is nobody's")
    customer_sid = owners.find_customer_sid(tx, stripe_customer_id=customer_ids[-1])
    if customer_sid is None:
        return _not_ours("the payment method", customer_ids[-1])
    billing.mirror_payment_method(tx, history.folded.state, stamp(history.folded), customer_sid=customer_sid)
    return Processed()


def _not_ours(what: str, customer_id: str | None) -> Ignored:
    return Ignored(f"{what} is by no customer of ours", reconsider_on=customer_id and f"customer:{customer_id}")


def _invoice_of(history: History[PaymentIntent] | History[Charge]) -> str | None:
    """Return the invoice that a payment is for. It never changes, and only old API versions tell it."""
    return max((seen.state.invoice_id for seen in history.observations if seen.state.invoice_id), default=None)


def _customer(tx: Transaction, desk: Desk, event: StripeEvent) -> str | Ignored:
    """Return our customer behind a payment. Payments for invoices name no family: they are told by their customer."""
    name = f"{event.subject['object']}:{event.object_id}"
    if refused := owners.refuse_family(tx, desk, event, reconsider_on=name, may_name_none=True):
        return refused
    told = histories.list_events(tx, desk, object_id=event.object_id)
    customer_ids = [each for seen in reversed(told) if (each := reference(seen.subject.get("customer"))) is not None]
    for customer_id in dict.fromkeys(customer_ids):
        if (found := owners.find_customer_sid(tx, stripe_customer_id=customer_id)) is not None:
            return found
    return _not_ours("the payment", reference(event.subject.get("customer")))


def _charge(tx: Transaction, desk: Desk, setback: Refund | Dispute) -> Row | Ignored | Parked:
    """Return the charge that is given back, locked with all of its customer's purchases."""
    if setback.charge_id is None:
        return Ignored("it names no charge")
    charge = billing.find_charge(tx, charge_id=setback.charge_id)
    if charge is not None:
        repository.lock(tx, charge["stripe_customer_id"])
        return charge
    if repository.was_ignored(tx, object_id=setback.charge_id):
        return Ignored("its charge is none of ours")
    histories.request_fetch(
        tx, object_type="charge", object_id=setback.charge_id, reason="its refund came first", now=desk.now
    )
    return Parked(f"charge:{setback.charge_id}")


def _judge(tx: Transaction, desk: Desk, charge: Row) -> None:
    licenses.judge_payment(
        tx,
        desk,
        payment_intent_id=charge["payment_intent_id"],
        charge_id=charge["charge_id"],
        invoice_id=charge["invoice_id"],
    )
