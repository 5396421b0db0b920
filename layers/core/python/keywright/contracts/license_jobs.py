"""The license of a contract subscription, on behalf of jobs: its file signed, or its standing judged, once more."""

from __future__ import annotations

from keywright.contracts import moving, repository
from keywright.contracts.desk import Desk
from keywright.contracts.models import Contract
from keywright.contracts.subscriptions import licenses
from keywright.contracts.subscriptions import repository as subscription_repository
from keywright.contracts.subscriptions.models import Subscription
from keywright.licensing import service as licensing
from keywright.licensing.keys.ring import KeyRing
from keywright.platform.db import Transaction


def issue(tx: Transaction, desk: Desk, *, subscription_sid: str, keys: KeyRing, issuer: str) -> None:
    """Sign the file for the time that runs, unless it is there; nothing if nothing runs any more."""
    contract, subscription = _lock(tx, subscription_sid)
    changes = subscription_repository.list_changes(tx, subscription_sid=subscription_sid)
    course = moving.course_of(desk, subscription, changes, until=max(desk.now, subscription.last_change_at))
    grant = licenses.grant_of(tx, subscription, course)
    if grant is not None:
        licensing.issue(tx, grant, keys=keys, issuer=issuer, now=desk.now)
    licenses.judge(tx, contract, subscription, now=desk.now)


def judge(tx: Transaction, desk: Desk, *, subscription_sid: str) -> None:
    """Settle where the license stands: an invoice may have come to restrict it."""
    contract, subscription = _lock(tx, subscription_sid)
    licenses.judge(tx, contract, subscription, now=desk.now)


def _lock(tx: Transaction, subscription_sid: str) -> tuple[Contract, Subscription]:
    seen = subscription_repository.get_subscription(tx, subscription_sid=subscription_sid, customer_sid=None)
    contract = repository.lock_contract(tx, contract_sid=seen.contract_sid)
    return contract, subscription_repository.lock_subscription(tx, subscription_sid=subscription_sid)
