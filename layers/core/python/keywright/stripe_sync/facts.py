"""What the licenses of a purchase are judged by: its history in the inbox, and the money in the mirror."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from keywright.billing import service as billing
from keywright.billing.models import Bill, Setback
from keywright.licensing import standing
from keywright.licensing.models import Purchase, Standing
from keywright.platform.db import Transaction
from keywright.stripe_sync import grants, histories, kinds
from keywright.stripe_sync.models import Bench


@dataclass(frozen=True)
class Facts:
    """What is known of a purchase: its sources of licenses by id, its invoices, and what was taken back of it."""

    purchases: Mapping[str, Purchase]
    bills: Sequence[Bill]
    setbacks: Sequence[Setback]

    def judge(self, source_id: str, desk: Bench, *, expires_at: datetime) -> Standing | None:
        """Return where the license of a source stands by these facts; None if they know of no such source."""
        purchase = self.purchases.get(source_id)
        if purchase is None:
            return None
        return standing.judge(
            purchase, self.bills, self.setbacks, expires_at=expires_at, policy=desk.policy, now=desk.now
        )


def of_subscription(tx: Transaction, desk: Bench, *, subscription_id: str) -> Facts | None:
    """Return what is known of a subscription; None if it was not seen yet."""
    history = histories.load(tx, desk, kinds.SUBSCRIPTION, object_id=subscription_id)
    if history is None:
        return None
    return Facts(
        grants.purchases_of(history),
        billing.list_bills(tx, subscription_id=subscription_id),
        billing.list_setbacks_of_subscription(tx, subscription_id=subscription_id),
    )


def of_session(tx: Transaction, desk: Bench, *, stripe_session_id: str) -> Facts | None:
    """Return what is known of a one-time purchase; None if it was not seen yet."""
    history = histories.load(tx, desk, kinds.CHECKOUT_SESSION, object_id=stripe_session_id)
    if history is None:
        return None
    session = history.folded.state
    intent = session.payment_intent_id
    return Facts(
        {stripe_session_id: grants.purchase_of_session(session)},
        [],
        billing.list_setbacks_of_intent(tx, payment_intent_id=intent) if intent else [],
    )


def paid_through(tx: Transaction, desk: Bench, *, subscription_id: str, item_id: str) -> datetime | None:
    """Return until when an item of a subscription was ever paid; None if it never was."""
    history = histories.load(tx, desk, kinds.SUBSCRIPTION, object_id=subscription_id)
    terms = [] if history is None else grants.terms_of(history)
    return max((term.item.current_period_end for term in terms if term.item.item_id == item_id), default=None)
