"""Reading what runs under contracts."""

from __future__ import annotations

from keywright.contracts.course.changes import SubscriptionState
from keywright.contracts.subscriptions import repository
from keywright.contracts.subscriptions.models import Subscription
from keywright.platform import paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page


def get_subscription(tx: Transaction, *, subscription_sid: str, customer_sid: str | None) -> Subscription:
    """
    Return a subscription of the customer, or to staff (None) of any.

    :raises ContractSubscriptionNotFound: if it is absent or somebody else's
    """
    return repository.get_subscription(tx, subscription_sid=subscription_sid, customer_sid=customer_sid)


def list_subscriptions(
    tx: Transaction,
    *,
    customer_sid: str | None,
    contract_sid: str | None,
    state: SubscriptionState | None,
    limit: int,
    cursor: str | None,
) -> Page[Subscription]:
    """
    Return a page of subscriptions, the oldest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    found = repository.list_subscriptions(
        tx,
        customer_sid=customer_sid,
        contract_sid=contract_sid,
        state=state,
        after=paging.decode(cursor),
        limit=limit + 1,
    )
    return paging.page(found, limit=limit, key=lambda subscription: subscription.subscription_sid)
