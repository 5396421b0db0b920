"""
The billing run: finds what is due and has each subscription brought up to the moment; and shows what it would bill.

It may fire twice, at once with itself, late or not at all: a subscription's course knows what is due, in which order,
and every bill has its key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from keywright.contracts import late_usage, moving, repository, service
from keywright.contracts.course.charges import Charge
from keywright.contracts.desk import Desk
from keywright.contracts.models import Contract
from keywright.contracts.subscriptions import repository as subscription_repository
from keywright.contracts.subscriptions.models import Subscription
from keywright.contracts.subscriptions.usage import ready_at
from keywright.jobs import service as jobs
from keywright.platform.db import Transaction

PAGE = 500
BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), "")
FORECAST_LIMIT = 60

Place = tuple[datetime, str]


@dataclass(frozen=True)
class Due:
    """A subscription that has something due."""

    due_at: datetime
    contract_sid: str
    subscription_sid: str

    @property
    def place(self) -> Place:
        """Return where the list goes on behind this one."""
        return self.due_at, self.subscription_sid


def list_due(tx: Transaction, *, as_of: datetime, after: Place = BEGINNING, limit: int = PAGE) -> list[Due]:
    """Return a page of what is due, the longest due first."""
    return [Due(*row) for row in subscription_repository.list_due(tx, as_of=as_of, after=after, limit=limit)]


def request(tx: Transaction, *, now: datetime, after: Place = BEGINNING) -> Place | None:
    """Enqueue a job for each subscription of a page that has something due; return where the next page begins."""
    due = list_due(tx, as_of=now, after=after)
    sids = {each.subscription_sid for each in due}
    if after == BEGINNING:
        sids |= set(late_usage.list_reported(tx, now=now))
    # A job that died must not be the last one: each hour has its own.
    payloads = [(f"{sid}:{now:%Y-%m-%dT%H}", {"subscription_sid": sid}) for sid in sorted(sids)]
    jobs.enqueue_many(tx, "contracts.bill", payloads, now=now)
    return due[-1].place if len(due) == PAGE else None


def bill(tx: Transaction, desk: Desk, *, subscription_sid: str, as_of: datetime) -> Subscription:
    """Bring one subscription up to a moment, and bill what is due by then."""
    seen = subscription_repository.get_subscription(tx, subscription_sid=subscription_sid, customer_sid=None)
    contract = repository.lock_contract(tx, contract_sid=seen.contract_sid)
    subscription = subscription_repository.lock_subscription(tx, subscription_sid=subscription_sid)
    changes = subscription_repository.list_changes(tx, subscription_sid=subscription_sid)
    return moving.move_on(tx, desk, contract, subscription, changes, as_of=as_of)


def expire(tx: Transaction, desk: Desk, *, after: str = "") -> tuple[int, str | None]:
    """Mark a page of contracts that have come to their end; return how many, and where the next page begins."""
    sids = repository.list_expired(tx, now=desk.now, after=after, limit=PAGE)
    expired = sum(service.expire(tx, desk, contract_sid=sid) for sid in sids)
    return expired, sids[-1] if len(sids) == PAGE else None


def rehearse(tx: Transaction, desk: Desk, *, subscription_sid: str, as_of: datetime) -> list[Charge]:
    """Return what the run would bill for a subscription. Nothing is written."""
    subscription = subscription_repository.get_subscription(tx, subscription_sid=subscription_sid, customer_sid=None)
    return list(_coming(tx, desk, subscription, until=as_of))


def forecast(tx: Transaction, desk: Desk, *, contract: Contract, until: datetime) -> list[tuple[Subscription, Charge]]:
    """
    Return what a contract will bill by a moment if nothing else happens, in the order of time.

    Metered bills are those of the usage so far. At most so many are shown: the nearest.
    """
    found = [
        (subscription, charge)
        for subscription in service.list_live(tx, contract_sid=contract.contract_sid)
        for charge in _coming(tx, desk, subscription, until=until)
    ]
    found.sort(key=lambda pair: (pair[1].bill.due_at, pair[1].bill.billing_key))
    return found[:FORECAST_LIMIT]


def _coming(tx: Transaction, desk: Desk, subscription: Subscription, *, until: datetime) -> Iterator[Charge]:
    changes = subscription_repository.list_changes(tx, subscription_sid=subscription.subscription_sid)
    course = moving.course_of(desk, subscription, changes, until=max(until, subscription.last_change_at))
    one = desk.looking()
    for place, due in enumerate(course.bills[subscription.bills :]):
        if ready_at(due) <= until:
            # What has come late is on the first of the coming bills, and on no other.
            earlier = course.bills[: subscription.bills] if place == 0 else ()
            yield late_usage.charge(tx, one, subscription, due, earlier)
