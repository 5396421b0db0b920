"""
The fold: one stored event has its object read from the inbox as a whole, and what follows written in one transaction.

Mirror rows, licenses, audit rows and jobs are functions of the set of stored events. So folding an event twice, late or
in another order gives the same rows; the event that is being folded only says which object to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from keywright.billing import service as billing
from keywright.contracts import license_jobs
from keywright.contracts.desk import Desk as ContractDesk
from keywright.licensing import service as licensing
from keywright.licensing.models import SourceKind
from keywright.platform.db import Transaction
from keywright.stripe_sync import (
    billing_folds,
    catalog_folds,
    histories,
    inbox,
    kinds,
    licenses,
    payment_folds,
    repository,
    rules,
    turns,
    usage_folds,
)
from keywright.stripe_sync.models import Bench, Ignored, Outcome, Parked, StripeEvent
from keywright.stripe_sync.models import Desk as Desk  # noqa: PLC0414  (what callers of process make)
from keywright.stripe_sync.observing import says_only_gone

MAX_FAILURES = 20
"""A fold that has failed so often in a row does not mend itself; looking at an event that waits is no failure."""

_FOLDS: Mapping[str, Callable[[Transaction, Desk, StripeEvent], Outcome]] = {
    "product": catalog_folds.fold_product,
    "price": catalog_folds.fold_price,
    "subscription": billing_folds.fold_subscription,
    "invoice": billing_folds.fold_invoice,
    "checkout.session": billing_folds.fold_session,
    "payment_intent": payment_folds.fold_payment_intent,
    "charge": payment_folds.fold_charge,
    "refund": payment_folds.fold_refund,
    "dispute": payment_folds.fold_dispute,
    "invoice_payment": payment_folds.fold_invoice_payment,
    "v2.core.event": usage_folds.fold_report,
    "payment_method": payment_folds.fold_payment_method,
}


def folds(event: StripeEvent) -> bool:
    """Tell whether events about such objects change anything here."""
    return event.subject.get("object", "") in _FOLDS


def process(tx: Transaction, desk: Desk, *, event_id: str) -> Outcome | None:
    """Fold a stored event and mark it, in this one transaction; None if there was nothing left to do."""
    body = repository.find_body(tx, event_id=event_id)
    if body is None:
        return None
    event = rules.read_event(body)
    tx.continues(rules.find_correlation_id(event) or event_id)
    # The turn first and the work row second: whoever waits for a turn holds nothing that others want.
    turns.take(tx, desk, event)
    pending = repository.lock_pending(tx, event_id=event_id)
    if pending is None:
        return None
    outcome = _fold(tx, desk, event)
    wait = rules.look_again_after(pending.attempts)
    repository.finish(tx, event_id=event_id, outcome=outcome, due_at=desk.now + wait)
    if isinstance(outcome, Parked):
        # What it waits for may be in another transaction right now, which does not see that we park.
        inbox.hint_later(tx, event_id=event_id, wait=wait)
    return outcome


def record_failure(tx: Transaction, *, event_id: str, reason: str, now: datetime) -> None:
    """Count a fold that failed, after its transaction rolled back; the dispatcher tries again, up to a limit."""
    pending = repository.lock_pending(tx, event_id=event_id)
    if pending is not None:
        due_at = now + rules.retry_after(pending.failures)
        repository.fail(tx, event_id=event_id, reason=reason[:500], due_at=due_at, max_failures=MAX_FAILURES)


def review(tx: Transaction, desk: Bench, *, license_sid: str) -> None:
    """Judge a license again because time has passed: a grace or a term may have ended."""
    due = licensing.take_review(tx, license_sid=license_sid)
    if due is None:
        return
    if due.source_kind is SourceKind.CHECKOUT_SESSION:
        session = histories.load(tx, desk, kinds.CHECKOUT_SESSION, object_id=due.source_id)
        if session is not None:
            repository.lock(tx, session.folded.state.stripe_customer_id or due.source_id)
            licenses.judge_session(tx, desk, stripe_session_id=due.source_id)
    elif due.source_kind is SourceKind.SUBSCRIPTION_ITEM:
        found = billing.find_subscription_of_item(tx, item_id=due.source_id)
        if found is not None:
            repository.lock(tx, found["stripe_customer_id"] or found["subscription_id"])
            licenses.judge_subscription(tx, desk, subscription_id=found["subscription_id"])
    else:
        license_jobs.judge(tx, ContractDesk(desk.now), subscription_sid=due.source_id)


def is_in_doubt(tx: Transaction, *, object_type: str, object_id: str) -> bool:
    """Tell whether an object still has to be fetched."""
    return histories.is_in_doubt(tx, object_type=object_type, object_id=object_id)


def record_refetch(tx: Transaction, *, object_type: str, object_id: str, reason: str, asked_at: datetime) -> None:
    """Count that doubt made us ask Stripe."""
    repository.add_refetch(tx, object_type=object_type, object_id=object_id, reason=reason, asked_at=asked_at)


def count_refetches(tx: Transaction, *, since: datetime) -> int:
    """Return how often doubt has made us ask Stripe since then."""
    return repository.count_refetches(tx, since=since)


def _fold(tx: Transaction, desk: Desk, event: StripeEvent) -> Outcome:
    reason = rules.foreign_reason(event, account_id=desk.account_id, livemode=desk.livemode)
    if reason is not None:
        return Ignored(reason)
    kind = event.subject.get("object", "")
    if kind in kinds.KINDS and says_only_gone(event):
        seen = histories.load(tx, desk, kinds.KINDS[kind], object_id=event.object_id)
        if seen is None:
            # Invoices wait for a subscription to say whose they are; this one never will.
            inbox.release(tx, waiting_for=f"subscription:{event.object_id}", now=desk.now)
            return Ignored("the object was gone before it was seen")
    fold = _FOLDS.get(kind)
    return Ignored(f"events about {event.event_type} change nothing here") if fold is None else fold(tx, desk, event)
