"""Rows of ``contract_subscriptions``, the log of their changes, and what is owed for them."""

from __future__ import annotations

from datetime import datetime

from keywright.contracts.course.changes import Change, ChangeKind, PausePolicy, SubscriptionState
from keywright.contracts.course.terms import from_text, to_text
from keywright.contracts.subscriptions.models import AlreadySubscribed, ContractSubscriptionNotFound, Subscription
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_subscription(tx: Transaction, subscription: Subscription, *, now: datetime) -> None:
    """
    Insert an ACTIVE subscription.

    :raises AlreadySubscribed: if the domain has a live one of this product
    """
    columns = vars(subscription)
    if not tx.insert_new(_sql.add_subscription, unique_key="uq_contract_subscriptions_thing", **columns, now=now):
        raise AlreadySubscribed("A subscription of this product is live for this domain.")


def save_subscription(tx: Transaction, subscription: Subscription) -> None:
    """Set the row of a subscription that the caller has locked."""
    columns = {**vars(subscription), "cancels_at_end": int(subscription.cancels_at_end)}
    tx.run(_sql.set_subscription, **columns)


def add_change(tx: Transaction, change: Change, *, subscription_sid: str, now: datetime) -> None:
    """Append to the log."""
    tx.run(
        _sql.add_change,
        subscription_sid=subscription_sid,
        change_no=change.change_no,
        kind=change.kind,
        happened_at=change.happened_at,
        terms=None if change.terms is None else to_text(change.terms),
        ends_on=change.ends_on,
        by_contract=int(change.by_contract),
        credits_unused=int(change.credits_unused),
        now=now,
    )


def list_changes(tx: Transaction, *, subscription_sid: str) -> list[Change]:
    """Return the log, the oldest entry first."""
    return [_change(row) for row in tx.all(_sql.list_changes, subscription_sid=subscription_sid)]


def get_subscription(tx: Transaction, *, subscription_sid: str, customer_sid: str | None) -> Subscription:
    """
    Return a subscription of the customer, or to staff (None) of any.

    :raises ContractSubscriptionNotFound: if it is absent or somebody else's
    """
    return _found(tx.one(_sql.find_subscription, subscription_sid=subscription_sid, customer_sid=customer_sid))


def find_subscription(tx: Transaction, *, subscription_sid: str) -> Subscription | None:
    """Return a subscription to code that acts for the system."""
    row = tx.one(_sql.find_subscription, subscription_sid=subscription_sid, customer_sid=None)
    return None if row is None else _subscription(row)


def lock_subscription(tx: Transaction, *, subscription_sid: str) -> Subscription:
    """
    Return a subscription, locked. Its contract is locked before it.

    :raises ContractSubscriptionNotFound: if there is none
    """
    return _found(tx.one(_sql.lock_subscription, subscription_sid=subscription_sid))


def list_subscriptions(
    tx: Transaction,
    *,
    customer_sid: str | None,
    contract_sid: str | None,
    state: SubscriptionState | None,
    after: str,
    limit: int,
) -> list[Subscription]:
    """Return subscriptions whose sid follows ``after``."""
    rows = tx.all(
        _sql.list_subscriptions,
        customer_sid=customer_sid,
        contract_sid=contract_sid,
        state=state,
        after=after,
        limit=limit,
    )
    return [_subscription(row) for row in rows]


def list_due(
    tx: Transaction, *, as_of: datetime, after: tuple[datetime, str], limit: int
) -> list[tuple[datetime, str, str]]:
    """Return (when, contract, subscription) of what is due behind ``after``, the longest due first."""
    rows = tx.all(_sql.list_due_subscriptions, as_of=as_of, after_at=after[0], after_sid=after[1], limit=limit)
    return [(row["next_billing_at"], row["contract_sid"], row["subscription_sid"]) for row in rows]


def list_debts(tx: Transaction, *, subscription_sid: str) -> list[Row]:
    """Return the issued invoices of a subscription that are not paid."""
    return tx.all(_sql.list_debts, subscription_sid=subscription_sid)


def _found(row: Row | None) -> Subscription:
    if row is None:
        raise ContractSubscriptionNotFound("There is no contract subscription with this id.")
    return _subscription(row)


def _subscription(row: Row) -> Subscription:
    typed = {"state": SubscriptionState(row["state"]), "pause_policy": PausePolicy(row["pause_policy"])}
    return Subscription(**{**row, **typed, "cancels_at_end": bool(row["cancels_at_end"])})


def _change(row: Row) -> Change:
    terms = None if row["terms"] is None else from_text(row["terms"])
    flags = {"by_contract": bool(row["by_contract"]), "credits_unused": bool(row["credits_unused"])}
    return Change(**{**row, **flags, "kind": ChangeKind(row["kind"]), "terms": terms})
