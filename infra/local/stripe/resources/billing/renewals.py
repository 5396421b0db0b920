"""What time does to a subscription: periods end, trials end, first payments and cancellations fall due."""

from __future__ import annotations

import copy

from infra.local.stripe.account import Account
from infra.local.stripe.periods import period_around
from infra.local.stripe.resources.billing import collection, invoicing, payments, pending, status
from infra.local.stripe.resources.billing.lines import recurring_lines, usage_line
from infra.local.stripe.resources.billing.proration import is_metered
from infra.local.stripe.store import Object

_WARNING_S = 3 * 86_400
_UPDATED = "customer.subscription.updated"


def watch(account: Account, subscription: Object) -> None:
    """Plan whatever time will do next to a new or changed subscription; plans that no longer hold do nothing."""
    end = period_end_of(subscription)
    account.agenda.at(end, lambda: _turn(account, subscription, end))
    cancel_at = subscription["cancel_at"]
    if cancel_at is not None and cancel_at < end:
        account.agenda.at(cancel_at, lambda: _cancel(account, subscription, cancel_at))


def watch_first_payment(account: Account, subscription: Object) -> None:
    """Give up an incomplete subscription after its time."""
    when = account.clock.now() + account.billing.incomplete_life_s
    account.agenda.at(when, lambda: _expire(account, subscription))


def watch_trial(account: Account, subscription: Object) -> None:
    """Announce the end of a trial three days before, or at once if it is shorter."""
    end = subscription["trial_end"]
    when = max(account.clock.now(), end - _WARNING_S)
    if when == account.clock.now():
        _warn(account, subscription, end)
    else:
        account.agenda.at(when, lambda: _warn(account, subscription, end))


def period_end_of(subscription: Object) -> int:
    """Return when the next period ends."""
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def roll(subscription: Object, start: int) -> None:
    """Move every item to the period that begins at ``start``, as the anchor cuts it."""
    for item in subscription["items"]["data"]:
        terms = item["price"]["recurring"]
        _, end = period_around(subscription["billing_cycle_anchor"], terms["interval"], terms["interval_count"], start)
        item["current_period_start"], item["current_period_end"] = start, end


def _warn(account: Account, subscription: Object, end: int) -> None:
    if subscription["status"] == "trialing" and subscription["trial_end"] == end:
        account.journal.record("customer.subscription.trial_will_end", subscription)


def _expire(account: Account, subscription: Object) -> None:
    if subscription["status"] != "incomplete":
        return
    invoice = account.store.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        collection.void(account, invoice)
    else:
        status.expire(account, subscription)


def _cancel(account: Account, subscription: Object, when: int) -> None:
    if subscription["status"] not in status.FINAL and subscription["cancel_at"] == when:
        finish(account, subscription)


def finish(account: Account, subscription: Object) -> None:
    """End a subscription whose time has come; what was used, and what waits, is billed for the last time."""
    lines = [usage_line(account, subscription, item) for item in subscription["items"]["data"] if is_metered(item)]
    waiting = pending.waiting(account, subscription["customer"], subscription["currency"], subscription["id"])
    if waiting or any(line["amount"] for line in lines):
        invoice = invoicing.draft(account, subscription, lines, "subscription_cycle")
        invoicing.announce(account, subscription, invoice)
    status.end(account, subscription, reason="cancellation_requested")


def _turn(account: Account, subscription: Object, when: int) -> None:
    """Begin the next period, unless the subscription ends with this one."""
    if subscription["status"] in (*status.FINAL, "paused") or period_end_of(subscription) != when:
        return
    if subscription["cancel_at"] is not None and subscription["cancel_at"] <= when:
        finish(account, subscription)
    elif subscription["status"] == "trialing" and not _may_leave_trial(account, subscription):
        return
    else:
        _renew(account, subscription, when)


def _may_leave_trial(account: Account, subscription: Object) -> bool:
    """Follow the trial's settings where nobody left a way to pay."""
    behavior = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    customer = account.store.get("customer", subscription["customer"])
    payable = payments.first_usable(account, customer, subscription) is not None
    if payable or subscription["collection_method"] == "send_invoice" or behavior == "create_invoice":
        return True
    if behavior == "pause":
        status.pause(account, subscription)
    else:
        status.end(account, subscription, reason="payment_failed")
    return False


def _renew(account: Account, subscription: Object, when: int) -> None:
    trial = subscription["status"] == "trialing"
    before = [] if trial else copy.deepcopy(subscription["items"]["data"])
    with account.journal.changing(subscription, _UPDATED):
        if trial:
            subscription["status"] = "active"
        roll(subscription, when)
        lines = recurring_lines(account, subscription, before=before)
        invoice = invoicing.draft(account, subscription, lines, "subscription_cycle")
        invoice["period_start"] = min(
            (item["current_period_start"] for item in before), default=invoice["period_start"]
        )
    invoicing.announce(account, subscription, invoice)
    watch(account, subscription)
