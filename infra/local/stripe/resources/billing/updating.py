"""Make changes to a subscription real: by request, by cancellation, or by resuming it after a pause."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.parameters import merged_metadata
from infra.local.stripe.resources.billing import changes, collection, creation, invoicing, payments, pending, renewals
from infra.local.stripe.resources.billing import status as statuses
from infra.local.stripe.resources.billing.lines import usage_line
from infra.local.stripe.resources.billing.proration import is_metered, unused
from infra.local.stripe.store import Object

_UPDATED = "customer.subscription.updated"
_PLAIN = ("collection_method", "days_until_due", "default_payment_method", "description")


def update(account: Account, subscription: Object, given: dict[str, Any]) -> None:
    """Change a subscription as asked; what must be paid now is invoiced and charged now."""
    plan = changes.plan(account, subscription, given)
    now_due = plan.restarts or bool(plan.prorations and given.get("proration_behavior") == "always_invoice")
    behavior, off_session = given.get("payment_behavior", "allow_incomplete"), given.get("off_session", False)
    if now_due and behavior == "error_if_incomplete":
        customer = account.store.get("customer", subscription["customer"])
        method = payments.first_usable(account, customer, subscription)
        creation.require_payment(account, method, off_session=off_session)
    trial_end, invoice = subscription["trial_end"], None
    with account.journal.changing(subscription, _UPDATED):
        subscription.update(plan.after)
        _write_details(account, subscription, given)
        for part in plan.prorations:
            account.create(pending.from_proration(account, subscription, part), "invoiceitem.created")
        creation.add_extras(account, subscription, given.get("add_invoice_items", []))
        if now_due:
            invoice = invoicing.draft(account, subscription, plan.lines, "subscription_update")
    if invoice is not None:
        attempt = behavior != "default_incomplete"
        invoicing.bill_now(account, invoice, attempt=attempt, off_session=off_session)
        if not attempt and invoice["status"] == "open":
            statuses.payment_failed(account, subscription)
    renewals.watch(account, subscription)
    if subscription["status"] == "trialing" and subscription["trial_end"] != trial_end:
        renewals.watch_trial(account, subscription)


def _write_details(account: Account, subscription: Object, given: dict[str, Any]) -> None:
    subscription.update({name: given[name] for name in _PLAIN if name in given})
    subscription["metadata"] = merged_metadata(subscription["metadata"], given.get("metadata"))
    subscription["cancellation_details"].update(given.get("cancellation_details", {}))
    subscription["trial_settings"].update(given.get("trial_settings", {}))
    subscription["payment_settings"].update(given.get("payment_settings", {}))
    wanted = given.get("cancel_at_period_end")
    if wanted is not None and wanted != subscription["cancel_at_period_end"]:
        _schedule_end(account, subscription, renewals.period_end_of(subscription) if wanted else None)
        subscription["cancel_at_period_end"] = wanted
    elif "cancel_at" in given:
        subscription["cancel_at_period_end"] = False
        _schedule_end(account, subscription, given["cancel_at"])
    elif subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = renewals.period_end_of(subscription)
    if "pause_collection" in given:
        _pause_collection(account, subscription, given["pause_collection"])


def _schedule_end(account: Account, subscription: Object, when: int | None) -> None:
    """Ask for, or take back, a later end; the status stays as it is until then."""
    subscription["cancel_at"] = when
    subscription["canceled_at"] = None if when is None else account.clock.now()
    subscription["cancellation_details"]["reason"] = None if when is None else "cancellation_requested"


def _pause_collection(account: Account, subscription: Object, given: dict[str, Any]) -> None:
    if not given:
        subscription["pause_collection"] = None
        return
    resumes_at = given.get("resumes_at")
    pause = {"behavior": given["behavior"], "resumes_at": resumes_at}
    subscription["pause_collection"] = pause
    if resumes_at is not None:
        account.agenda.at(resumes_at, lambda: _collect_again(account, subscription, pause))


def _collect_again(account: Account, subscription: Object, pause: Object) -> None:
    if subscription["pause_collection"] == pause and subscription["status"] not in statuses.FINAL:
        with account.journal.changing(subscription, _UPDATED):
            subscription["pause_collection"] = None


def cancel(account: Account, subscription: Object, given: dict[str, Any]) -> None:
    """End a subscription now; what was used and what is left of the period count only if that was asked for."""
    now, items = account.clock.now(), subscription["items"]["data"]
    paid_for = subscription["status"] in ("active", "past_due")
    credits_ = (
        [unused(item, now, subscription["currency"]) for item in items] if given.get("prorate") and paid_for else []
    )
    for part in credits_:
        if part is not None:
            account.create(pending.from_proration(account, subscription, part), "invoiceitem.created")
    invoice = _last_invoice(account, subscription, now) if given.get("invoice_now") else None
    first = account.store.find(subscription["latest_invoice"]) if subscription["status"] == "incomplete" else None
    subscription["canceled_at"], subscription["cancel_at"], subscription["cancel_at_period_end"] = now, None, False
    subscription["cancellation_details"].update(given.get("cancellation_details", {}))
    statuses.end(account, subscription, reason="cancellation_requested")
    if first is not None and first["status"] == "open":
        collection.void(account, first)
    if invoice is not None:
        invoicing.bill_now(account, invoice, off_session=True)


def _last_invoice(account: Account, subscription: Object, now: int) -> Object | None:
    items = [{**item, "current_period_end": now} for item in subscription["items"]["data"] if is_metered(item)]
    lines = [usage_line(account, subscription, item) for item in items]
    waiting = pending.waiting(account, subscription["customer"], subscription["currency"], subscription["id"])
    if not waiting and not any(line["amount"] for line in lines):
        return None
    return invoicing.draft(account, subscription, lines, "subscription_update")


def resume(account: Account, subscription: Object, given: dict[str, Any]) -> None:
    """End a pause; it lasts until the invoice for the new period is paid."""
    if subscription["status"] != "paused":
        raise invalid("Only a paused subscription can be resumed.", param="subscription")
    now = account.clock.now()
    with account.journal.changing(subscription, _UPDATED):
        if given.get("billing_cycle_anchor", "now") == "now":
            subscription["billing_cycle_anchor"] = now
        renewals.roll(subscription, now)
        lines = creation.first_lines(account, subscription, given)
        invoice = invoicing.draft(account, subscription, lines, "subscription_update")
    invoicing.bill_now(account, invoice)
    renewals.watch(account, subscription)
    account.agenda.at(now + account.billing.incomplete_life_s, lambda: _give_up(account, subscription, invoice))


def _give_up(account: Account, subscription: Object, invoice: Object) -> None:
    if subscription["status"] == "paused" and invoice["status"] == "open":
        collection.void(account, invoice)
