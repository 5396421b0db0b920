"""
Where a license stands: a function of what Stripe says, the dunning policy and the moment. Pure.

Nothing is remembered: what restricted a license yesterday lifts by itself when it is no longer so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from keywright.billing.models import Bill, Setback
from keywright.licensing.dunning import DunningPolicy, failed_at, restricted_from
from keywright.licensing.models import Cause, LicenseState, Purchase, Rule, Standing

STATE_OF = {
    Rule.STAFF_REVOKED: LicenseState.REVOKED,
    Rule.PAYMENT_REFUNDED: LicenseState.REVOKED,
    Rule.DISPUTE_LOST: LicenseState.REVOKED,
    Rule.SUBSCRIPTION_CANCELED: LicenseState.CANCELED,
    Rule.ITEM_REMOVED: LicenseState.CANCELED,
    Rule.CONTRACT_TERMINATED: LicenseState.CANCELED,
    Rule.TERM_ENDED: LicenseState.EXPIRED,
    Rule.PAYMENT_DISPUTED: LicenseState.SUSPENDED,
    Rule.SUBSCRIPTION_PAUSED: LicenseState.SUSPENDED,
    Rule.COLLECTION_PAUSED: LicenseState.SUSPENDED,
    Rule.CONTRACT_PAUSED: LicenseState.SUSPENDED,
    Rule.CONTRACT_SUSPENDED: LicenseState.SUSPENDED,
    Rule.PAYMENT_FAILED: LicenseState.RESTRICTED,
    Rule.INVOICE_OVERDUE: LicenseState.RESTRICTED,
    Rule.SUBSCRIPTION_PAST_DUE: LicenseState.RESTRICTED,
    Rule.PAID: LicenseState.ACTIVE,
}
"""What each cause makes of a license, the gravest first: the first cause that holds decides."""

_ORDER = {rule: place for place, rule in enumerate(STATE_OF)}
_ARREARS = frozenset({"past_due", "unpaid"})
_OPEN_DISPUTES = frozenset({"needs_response", "under_review"})


def judge(
    purchase: Purchase,
    bills: Sequence[Bill],
    setbacks: Sequence[Setback],
    *,
    expires_at: datetime,
    policy: DunningPolicy,
    now: datetime,
) -> Standing:
    """Return the state, every cause that holds now, and when to look again though nothing happens."""
    found = [
        Cause(Rule.PAID, purchase.source, purchase.began_at),
        *_ends(purchase, expires_at),
        *_pauses(purchase),
        *_debts(purchase, bills, policy),
        *_setbacks(purchase, bills, setbacks),
    ]
    present = _present(purchase, bills, setbacks, now=now)
    causes = weighed(cause for cause in found if cause.effective_at <= present or cause.rule is Rule.PAID)
    coming = [cause.effective_at for cause in found if cause.effective_at > present and cause.rule is not Rule.PAID]
    return Standing(STATE_OF[causes[0].rule], causes, min(coming, default=None))


def weighed(found: Iterable[Cause]) -> tuple[Cause, ...]:
    """Return causes in the order of their gravity, each once; the first one decides."""
    return tuple(sorted(set(found), key=lambda cause: (_ORDER[cause.rule], cause.effective_at, cause.subject)))


def judge_given(
    source_id: str, given: Iterable[Cause], *, began_at: datetime, expires_at: datetime, now: datetime
) -> Standing:
    """Judge a license that Stripe does not tell of: by the causes that were given, and by its term."""
    causes = [Cause(Rule.PAID, source_id, began_at), *(cause for cause in given if cause.effective_at <= now)]
    over = expires_at <= now
    if over:
        causes.append(Cause(Rule.TERM_ENDED, source_id, expires_at))
    ordered = weighed(causes)
    return Standing(STATE_OF[ordered[0].rule], ordered, None if over else expires_at)


def _present(purchase: Purchase, bills: Sequence[Bill], setbacks: Sequence[Setback], *, now: datetime) -> datetime:
    """Return the moment to judge at: never before anything that Stripe says has happened, if our clock is behind."""
    failures = [at for bill in bills for at in (bill.failed_at, bill.failed_again_at) if at is not None]
    return max(now, purchase.observed_at, *failures, *(setback.at for setback in setbacks))


def _ends(purchase: Purchase, expires_at: datetime) -> Iterator[Cause]:
    if purchase.status == "canceled":
        yield Cause(Rule.SUBSCRIPTION_CANCELED, purchase.source, purchase.ended_at or purchase.status_since)
    if purchase.removed_at is not None:
        yield Cause(Rule.ITEM_REMOVED, purchase.source, purchase.removed_at)
    yield Cause(Rule.TERM_ENDED, purchase.source, expires_at)


def _pauses(purchase: Purchase) -> Iterator[Cause]:
    if purchase.status == "paused":
        yield Cause(Rule.SUBSCRIPTION_PAUSED, purchase.source, purchase.status_since)
    if purchase.collection_paused_at is not None:
        yield Cause(Rule.COLLECTION_PAUSED, purchase.source, purchase.collection_paused_at)


def _debts(purchase: Purchase, bills: Sequence[Bill], policy: DunningPolicy) -> Iterator[Cause]:
    in_arrears = purchase.status in _ARREARS
    for bill in bills:
        start = restricted_from(bill, policy, in_arrears=in_arrears)
        if start is not None:
            sent = bill.collection_method == "send_invoice"
            yield Cause(Rule.INVOICE_OVERDUE if sent else Rule.PAYMENT_FAILED, bill.invoice_id, start)
    known = any(failed_at(bill, in_arrears=in_arrears) is not None or bill.awaits_customer for bill in bills)
    if in_arrears and not known:
        # The invoice behind it has not arrived; when it does, it takes over and its policy counts.
        yield Cause(Rule.SUBSCRIPTION_PAST_DUE, purchase.source, purchase.status_since)


def _setbacks(purchase: Purchase, bills: Sequence[Bill], setbacks: Sequence[Setback]) -> Iterator[Cause]:
    paid_later = max((bill.created_at for bill in bills if bill.status == "paid"), default=None)
    for setback in setbacks:
        if setback.kind == "dispute" and setback.status in _OPEN_DISPUTES:
            yield Cause(Rule.PAYMENT_DISPUTED, setback.setback_id, setback.at)
        if setback.kind == "dispute" and setback.status == "lost":
            if purchase.is_one_time:
                yield Cause(Rule.DISPUTE_LOST, setback.setback_id, setback.at)
            elif paid_later is None or (setback.invoice_created_at or setback.at) >= paid_later:
                # The money of the running period is gone; the next invoice that is paid makes up for it.
                yield Cause(Rule.PAYMENT_DISPUTED, setback.setback_id, setback.at)
    if purchase.is_one_time and (refund := _full_refund(setbacks)) is not None:
        yield refund


def _full_refund(setbacks: Sequence[Setback]) -> Cause | None:
    refunds = [setback for setback in setbacks if setback.kind == "refund" and setback.status == "succeeded"]
    if refunds and sum(refund.amount for refund in refunds) >= refunds[0].charge_amount:
        last = max(refunds, key=lambda refund: (refund.at, refund.setback_id))
        return Cause(Rule.PAYMENT_REFUNDED, last.setback_id, last.at)
    return None
