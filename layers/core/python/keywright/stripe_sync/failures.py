"""What observations tell of failures, and the invoice or session itself does not. Pure."""

from __future__ import annotations

from datetime import datetime

from keywright.billing.models import Failure, Invoice
from keywright.checkout import rules as checkout_rules
from keywright.checkout.models import PaidSession
from keywright.stripe_sync.observing import History

_ASKED = frozenset({"invoice.payment_action_required"})


def failure_of(history: History[Invoice]) -> Failure:
    """
    Return what the observations of an invoice tell of its failures: the first one, and whether its customer is asked.

    An attempt that asks the customer to authenticate is reported as failed too; it restricts nobody.
    """
    asked = [seen.state.attempt_count for seen in history.observations if seen.event_type in _ASKED]
    failed = [
        seen.moment
        for seen in history.observations
        if seen.event_type == "invoice.payment_failed" and seen.state.attempt_count not in asked
    ]
    invoice = history.folded.state
    awaits = invoice.status == "open" and invoice.attempt_count in asked
    return Failure(min(failed, default=None), awaits_customer=awaits)


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
