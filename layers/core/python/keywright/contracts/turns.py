"""
A turn of a contract subscription: under lock and brought up to now, it takes one more change, and is moved on again.

So what was due before the change is billed as it was, and what the change itself bills is billed at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from keywright.contracts import moving, repository
from keywright.contracts.course.changes import Change, ChangeKind
from keywright.contracts.course.terms import Terms
from keywright.contracts.desk import Desk
from keywright.contracts.models import Contract
from keywright.contracts.subscriptions import repository as subscriptions
from keywright.contracts.subscriptions.models import Subscription
from keywright.platform.db import Transaction

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Turn:
    """A subscription under lock, with its contract and its log, brought up to now."""

    contract: Contract
    subscription: Subscription
    changes: list[Change]


def take_turn(tx: Transaction, desk: Desk, *, subscription_sid: str, contract: Contract | None = None) -> Turn:
    """
    Lock a subscription behind its contract, and bring it up to now.

    :raises ContractSubscriptionNotFound: if there is none
    """
    if contract is None:
        seen = subscriptions.get_subscription(tx, subscription_sid=subscription_sid, customer_sid=None)
        contract = repository.lock_contract(tx, contract_sid=seen.contract_sid)
    subscription = subscriptions.lock_subscription(tx, subscription_sid=subscription_sid)
    changes = subscriptions.list_changes(tx, subscription_sid=subscription_sid)
    if not subscription.has_ended:
        subscription = moving.move_on(tx, desk, contract, subscription, changes, as_of=desk.now)
    return Turn(contract, subscription, changes)


def act(
    tx: Transaction,
    desk: Desk,
    turn: Turn,
    kind: ChangeKind,
    *,
    terms: Terms | None = None,
    ends_on: date | None = None,
    by_contract: bool = False,
    credits_unused: bool = False,
) -> Subscription:
    """Append a change that happens now, behind everything that was billed, and move on."""
    change = Change(
        turn.subscription.changes + 1,
        kind,
        _moment(desk, turn.subscription),
        terms,
        ends_on,
        by_contract,
        credits_unused,
    )
    sid = turn.subscription.subscription_sid
    subscriptions.add_change(tx, change, subscription_sid=sid, now=desk.now)
    changes = [*turn.changes, change]
    return moving.move_on(tx, desk, turn.contract, turn.subscription, changes, as_of=change.happened_at)


def _moment(desk: Desk, subscription: Subscription) -> datetime:
    """Return now, or just after what has been billed or changed, if clocks differ or two acts share a moment."""
    last = max(subscription.last_change_at, subscription.last_billed_at or subscription.last_change_at)
    return max(desk.now, last + _TICK)
