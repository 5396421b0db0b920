"""What runs under a contract: its row, and what can be wrong with what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from keywright.contracts.course.changes import PausePolicy, SubscriptionState
from keywright.platform.errors import Conflict, Invalid, NotFound


@dataclass(frozen=True)
class Subscription:
    """A contract subscription, as its log had led to when it was last moved on."""

    subscription_sid: str
    customer_sid: str
    contract_sid: str
    domain_sid: str
    product_id: str
    plan_sid: str
    plan_version: int
    quantity: int
    state: SubscriptionState
    paused_by: str | None
    pause_policy: PausePolicy
    time_zone: str
    period_start: date
    period_end: date
    cancels_at_end: bool
    changes: int
    last_change_at: datetime
    bills: int
    last_billed_at: datetime | None
    next_billing_at: datetime | None
    ended_at: datetime | None
    created_at: datetime

    @property
    def has_ended(self) -> bool:
        """Tell whether nothing will happen to it any more."""
        return self.ended_at is not None


class ContractSubscriptionNotFound(NotFound):
    """There is no such subscription, or it is another customer's."""

    code = "contract-subscription-not-found"
    title = "There is no such contract subscription"


class SubscriptionStateConflict(Conflict):
    """The subscription's state does not allow it."""

    code = "subscription-state-conflict"
    title = "The subscription's state does not allow it"


class CurrencyMismatch(Invalid):
    """The plan is sold in another currency than the contract's."""

    code = "currency-mismatch"
    title = "The currencies differ"


class AlreadySubscribed(Conflict):
    """A subscription of this product for this domain is live already."""

    code = "already-subscribed"
    title = "The domain has this product already"
