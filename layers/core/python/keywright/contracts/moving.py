"""
Moving a subscription on to a moment: the bills of its course become documents, and its row says where it stands.

Whoever calls has locked the contract, and after it the subscription. Doing it again changes nothing: the course is the
same, and the unique billing key refuses what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from keywright.audit import service as audit
from keywright.contracts import late_usage
from keywright.contracts.course import calendar
from keywright.contracts.course.changes import Bill, Change, Course, SubscriptionState
from keywright.contracts.course.charges import Charge, DocumentKind
from keywright.contracts.desk import Desk
from keywright.contracts.invoices import issuing
from keywright.contracts.invoices import repository as invoice_repository
from keywright.contracts.invoices.models import Invoice, InvoiceState
from keywright.contracts.models import Contract
from keywright.contracts.subscriptions import licenses
from keywright.contracts.subscriptions import repository as subscription_repository
from keywright.contracts.subscriptions.models import Subscription
from keywright.contracts.subscriptions.usage import ready_at
from keywright.platform import ids
from keywright.platform.db import Transaction


def course_of(desk: Desk, subscription: Subscription, changes: Sequence[Change], *, until: datetime) -> Course:
    """Return the course of a subscription by a moment."""
    return desk.follow(
        subscription.subscription_sid,
        changes,
        where=calendar.zone(subscription.time_zone),
        policy=subscription.pause_policy,
        until=until,
    )


def due_bills(course: Course, subscription: Subscription, *, as_of: datetime) -> list[Bill]:
    """Return the bills that are to be made now, in their order: none overtakes one that has to wait."""
    due = []
    for bill in course.bills[subscription.bills :]:
        if ready_at(bill) > as_of:
            break
        due.append(bill)
    return due


def move_on(
    tx: Transaction,
    desk: Desk,
    contract: Contract,
    subscription: Subscription,
    changes: Sequence[Change],
    *,
    as_of: datetime,
) -> Subscription:
    """Bring a subscription to where it stands at a moment, never back; return its row."""
    moment = max(as_of, subscription.last_change_at)
    course = course_of(desk, subscription, changes, until=moment)
    due = due_bills(course, subscription, as_of=moment)
    for place, bill in enumerate(due, start=subscription.bills):
        charge = late_usage.charge(tx, desk, subscription, bill, course.bills[:place])
        _draft(tx, desk, contract, subscription, charge)
    moved = _moved(subscription, course, due, changes)
    if moved != subscription:
        subscription_repository.save_subscription(tx, moved)
        licenses.request_issue(tx, moved, course, now=desk.now)
        _follow_up(tx, desk, contract, old=subscription, new=moved)
    for adjustment in late_usage.adjustments(tx, desk, moved, course):
        _adjust(tx, desk, contract, moved, adjustment)
    if not contract.agreed.review_invoices:
        issuing.issue_drafts(tx, desk, contract, subscription_sid=subscription.subscription_sid)
    return moved


def _follow_up(tx: Transaction, desk: Desk, contract: Contract, *, old: Subscription, new: Subscription) -> None:
    """Let audit log and license follow what has changed."""
    before, after = facts(old), facts(new)
    if before == after:
        return
    what = new.state if new.state is not old.state else "CHANGED"
    audit.record(
        tx,
        f"CONTRACT_SUBSCRIPTION_{what}",
        actor=desk.actor,
        subject=new.subscription_sid,
        old=before,
        new=after,
        now=desk.now,
    )
    licenses.judge(tx, contract, new, now=desk.now)


def facts(subscription: Subscription) -> dict[str, object]:
    """Return what the audit log keeps of a subscription."""
    names = ("state", "paused_by", "plan_sid", "plan_version", "quantity", "cancels_at_end")
    return {name: getattr(subscription, name) for name in names}


def _moved(subscription: Subscription, course: Course, due: Sequence[Bill], changes: Sequence[Change]) -> Subscription:
    is_paused = course.state is SubscriptionState.PAUSED
    made = subscription.bills + len(due)
    waiting = [ready_at(bill) for bill in course.bills[made : made + 1]]
    coming = [*waiting, *([course.next_at] if course.next_at is not None else [])]
    return replace(
        subscription,
        product_id=course.terms.product_id,
        plan_sid=course.terms.plan_sid,
        plan_version=course.terms.plan_version,
        quantity=course.terms.quantity,
        state=course.state,
        paused_by=("CONTRACT" if course.paused_by_contract else "STAFF") if is_paused else None,
        period_start=course.start,
        period_end=course.end,
        cancels_at_end=course.cancels_at_end,
        changes=len(changes),
        last_change_at=changes[-1].happened_at,
        bills=made,
        last_billed_at=due[-1].due_at if due else subscription.last_billed_at,
        next_billing_at=min(coming, default=None),
        ended_at=course.ended_at,
    )


def _draft(tx: Transaction, desk: Desk, contract: Contract, subscription: Subscription, charge: Charge) -> None:
    bill = charge.bill
    invoice = invoice_of(contract, subscription, charge, now=desk.now)
    if charge.kind is DocumentKind.CREDIT_NOTE:
        assert bill.corrects is not None
        invoice = replace(invoice, corrects_sid=invoice_repository.find_by_key(tx, billing_key=bill.corrects))
    invoice_repository.add_invoice(tx, invoice, charge.lines)


def _adjust(
    tx: Transaction, desk: Desk, contract: Contract, subscription: Subscription, adjustment: late_usage.Adjustment
) -> None:
    """Draft the document for usage that came late; a credit note corrects the invoice that billed it at first."""
    invoice = invoice_of(contract, subscription, adjustment.charge, now=desk.now)
    if adjustment.charge.kind is DocumentKind.CREDIT_NOTE:
        invoice = replace(invoice, corrects_sid=adjustment.invoice_sid)
    invoice_repository.add_invoice(tx, invoice, adjustment.charge.lines)


def invoice_of(contract: Contract, subscription: Subscription, charge: Charge, *, now: datetime) -> Invoice:
    """Return the draft of a charge. Its sid is derived from its cause, as the key is."""
    bill = charge.bill
    return Invoice(
        invoice_sid=ids.derived("cin", at=bill.due_at, of=bill.billing_key),
        document_kind=charge.kind,
        customer_sid=subscription.customer_sid,
        contract_sid=subscription.contract_sid,
        subscription_sid=subscription.subscription_sid,
        corrects_sid=None,
        legal_entity_sid=contract.agreed.legal_entity_sid,
        billing_key=bill.billing_key,
        state=InvoiceState.DRAFT,
        currency=charge.currency,
        total_minor=charge.total_minor,
        credited_minor=0,
        period_start=bill.start,
        period_end=bill.end,
        billed_at=bill.due_at,
        collection=contract.agreed.collection,
        payment_terms_days=contract.agreed.payment_terms_days,
        reason=None,
        seller=None,
        buyer=None,
        document_number=None,
        issued_at=None,
        due_at=None,
        paid_at=None,
        payment_reference=None,
        closed_at=None,
        stripe_invoice_id=None,
        stripe_invoice_url=None,
        created_at=now,
    )
