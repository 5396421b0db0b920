"""
What a subscription may become, and the events that say so. Every change of status happens here.

``canceled`` and ``incomplete_expired`` are final; every other status can be left again.
"""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.store import Object

FINAL = frozenset({"canceled", "incomplete_expired"})
_UPDATED = "customer.subscription.updated"
_IN_ARREARS = ("past_due", "unpaid")
_SETTLED = ("paid", "uncollectible")


def subscription_of(account: Account, invoice: Object) -> Object | None:
    """Return the subscription that an invoice bills, if it bills one."""
    parent = invoice["parent"]
    if parent is None or parent["subscription_details"] is None:
        return None
    return account.store.get("subscription", parent["subscription_details"]["subscription"])


def invoices_of(account: Account, subscription: Object) -> list[Object]:
    """Return a subscription's invoices, newest first."""
    return [
        invoice
        for invoice in account.store.newest_first("invoice")
        if (invoice["parent"] or {}).get("subscription_details")
        and invoice["parent"]["subscription_details"]["subscription"] == subscription["id"]
    ]


def move(account: Account, subscription: Object, status: str) -> None:
    """Give a subscription another status."""
    with account.journal.changing(subscription, _UPDATED):
        subscription["status"] = status


def payment_failed(account: Account, subscription: Object) -> None:
    """Follow a failed payment: what was in good standing is past due; what never began stays incomplete."""
    if subscription["status"] in ("active", "trialing"):
        move(account, subscription, "past_due")


def retries_exhausted(account: Account, subscription: Object) -> None:
    """Follow the last failed payment, as the vendor's settings say."""
    if subscription["status"] != "past_due":
        return
    if account.billing.after_retries == "canceled":
        end(account, subscription, reason="payment_failed")
    else:
        move(account, subscription, account.billing.after_retries)


def invoice_settled(account: Account, subscription: Object, invoice: Object) -> None:
    """Follow an invoice that was paid, written off or voided."""
    status, first = subscription["status"], invoice["billing_reason"] == "subscription_create"
    if status == "incomplete" and first:
        if invoice["status"] == "void":
            expire(account, subscription)
        elif invoice["status"] == "paid":
            tries = (subscription["trial_end"] or 0) > account.clock.now()
            move(account, subscription, "trialing" if tries else "active")
    elif status in _IN_ARREARS and _latest_is_settled(account, subscription):
        move(account, subscription, "active")
    elif status == "paused" and invoice["status"] in _SETTLED and subscription["latest_invoice"] == invoice["id"]:
        resume(account, subscription)


def _latest_is_settled(account: Account, subscription: Object) -> bool:
    """Judge by the newest invoice that asks for money: drafts do not yet, void ones do no longer."""
    counted = [value for value in invoices_of(account, subscription) if value["status"] not in ("draft", "void")]
    return not counted or counted[0]["status"] in _SETTLED


def pause(account: Account, subscription: Object) -> None:
    """Pause at the end of a trial that left no way to pay."""
    move(account, subscription, "paused")
    account.journal.record("customer.subscription.paused", subscription)


def resume(account: Account, subscription: Object) -> None:
    """End a pause."""
    move(account, subscription, "active")
    account.journal.record("customer.subscription.resumed", subscription)


def expire(account: Account, subscription: Object) -> None:
    """Give up a subscription whose first invoice nobody paid."""
    with account.journal.changing(subscription, _UPDATED):
        subscription["status"] = "incomplete_expired"
        subscription["ended_at"] = account.clock.now()


def end(account: Account, subscription: Object, *, reason: str) -> None:
    """Cancel now. What is open stays owed, but is no longer collected automatically."""
    now = account.clock.now()
    subscription["status"] = "incomplete_expired" if subscription["status"] == "incomplete" else "canceled"
    subscription["ended_at"] = now
    subscription["canceled_at"] = subscription["canceled_at"] or now
    subscription["cancellation_details"]["reason"] = reason
    for invoice in invoices_of(account, subscription):
        if invoice["status"] == "open" and invoice["auto_advance"]:
            with account.journal.changing(invoice, "invoice.updated"):
                invoice["auto_advance"], invoice["next_payment_attempt"] = False, None
    account.journal.record("customer.subscription.deleted", subscription)
