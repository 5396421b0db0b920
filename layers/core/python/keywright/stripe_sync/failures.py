"""What observations tell of failures, and the invoice or session itself does not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from keywright.billing.models import Failure, Invoice
from keywright.checkout import rules as checkout_rules
from keywright.checkout.models import PaidSession
from keywright.stripe_sync.fold import Observed
from keywright.stripe_sync.observing import History

_ASKED = frozenset({"invoice.payment_action_required"})


def failure_of(history: History[Invoice]) -> Failure:
    """
    Return what the observations of an invoice tell of its failures: the first one, what it planned, and the second.

    An attempt that asks the customer to authenticate is reported as failed too; it restricts nobody.
    """
    asked = {seen.state.attempt_count for seen in history.observations if seen.event_type in _ASKED}
    unasked = [seen for seen in history.observations if seen.state.attempt_count not in asked]
    failed = [seen for seen in unasked if seen.event_type == "invoice.payment_failed"]
    # An attempt is numbered: that it was not the first to fail is known even where nobody told of the one before.
    again = [
        seen.moment
        for seen in failed
        if seen.state.attempt_count - sum(number < seen.state.attempt_count for number in asked) > 1
    ]
    invoice = history.folded.state
    return Failure(
        min((seen.moment for seen in failed), default=None),
        awaits_customer=invoice.status == "open" and invoice.attempt_count in asked,
        first_retry_at=_planned(unasked, failed),
        failed_again_at=min(again, default=None),
    )


def _planned(unasked: Sequence[Observed[Invoice]], failed: Sequence[Observed[Invoice]]) -> datetime | None:
    """
    Return for when the next attempt was planned after the first that failed, as it was first said.

    Stripe may say so some seconds after it told of the failure, or tell of the arrears and never of the failure.
    """
    tried = [seen for seen in unasked if seen.state.status == "open" and seen.state.attempted]
    first = min((seen.state.attempt_count for seen in failed or tried), default=None)
    plans = [
        (seen.moment, seen.state.next_attempt_at)
        for seen in unasked
        if seen.state.status == "open" and seen.state.attempt_count == first and seen.state.next_attempt_at is not None
    ]
    return min((plan for plan in plans if plan[1] > plan[0]), default=(None, None))[1]


def payment_failed_at(history: History[PaidSession]) -> datetime | None:
    """
    Return when the bank refused what was promised on Stripe's page; None if it did not, or paid after all.

    The session itself looks the same before and after: it is complete, and not paid.
    """
    if history.folded.state.payment_status in checkout_rules.PAID:
        return None
    failed = [
        seen.moment for seen in history.observations if seen.event_type == "checkout.session.async_payment_failed"
    ]
    return min(failed, default=None)
