"""
An invoice's way from draft to its end: finalized, charged, retried, and paid, voided or written off.

What that does to its subscription is decided in :mod:`status`; here it is only reported.
"""

from __future__ import annotations

from infra.local.stripe.account import Account
from infra.local.stripe.billing_settings import minimum_charge
from infra.local.stripe.cards import Outcome
from infra.local.stripe.resources import payment_intents
from infra.local.stripe.resources.billing import balance, payments, status
from infra.local.stripe.resources.billing.lines import refresh_usage
from infra.local.stripe.resources.invoice_objects import total_up
from infra.local.stripe.store import Object

_DAY_S = 86_400


def advance_later(account: Account, invoice: Object) -> None:
    """Finalize a draft in about an hour, if it is to advance by itself."""
    invoice["automatically_finalizes_at"] = invoice["next_payment_attempt"] = None
    if not invoice["auto_advance"]:
        return
    when = account.clock.now() + account.billing.finalize_after_s
    invoice["automatically_finalizes_at"] = when
    if invoice["collection_method"] == "charge_automatically":
        invoice["next_payment_attempt"] = when
    account.agenda.at(when, lambda: _advance(account, invoice, when))


def _advance(account: Account, invoice: Object, when: int) -> None:
    if invoice.get("deleted") or invoice["status"] != "draft" or invoice["automatically_finalizes_at"] != when:
        return
    if account.store.get("customer", invoice["customer"]).get("deleted"):
        return
    finalize(account, invoice)
    collect(account, invoice)


def finalize(account: Account, invoice: Object) -> None:
    """Give the invoice its number, settle the customer's balance, and open it for payment."""
    now, subscription = account.clock.now(), status.subscription_of(account, invoice)
    customer = account.store.get("customer", invoice["customer"])
    for line in invoice["lines"]["data"] if subscription else []:
        refresh_usage(account, subscription or {}, line)
    total_up(invoice)
    with account.journal.changing(customer, "customer.updated"):
        sequence = customer["next_invoice_sequence"]
        customer["next_invoice_sequence"] = sequence + 1
        customer["currency"] = customer["currency"] or invoice["currency"]
        _settle_balance(account, invoice, customer)
    invoice["number"] = f"{customer['invoice_prefix']}-{sequence:04}"
    invoice["status"] = "open"
    invoice["effective_at"] = invoice["status_transitions"]["finalized_at"] = now
    invoice["hosted_invoice_url"] = f"{account.public_url}/i/{invoice['id']}"
    invoice["automatically_finalizes_at"] = None
    if invoice["collection_method"] == "send_invoice":
        _watch_due_date(account, invoice)
    if invoice["amount_due"]:
        payments.open_payment(account, invoice)
    account.journal.record("invoice.finalized", invoice)
    if not invoice["amount_due"]:
        mark_paid(account, invoice)


def balances(invoice: Object, start: int) -> tuple[int, int, int]:
    """
    Return the customer's balance before and after an invoice, and what is due besides.

    Credit from a negative invoice, and what credit covers or is too small to charge, stays on the balance.
    """
    total = invoice["total"]
    owed = total + start
    if total == 0:
        return start, start, 0
    if total < 0 or owed < minimum_charge(invoice["currency"]):
        return start, owed, 0
    return start, 0, owed


def _settle_balance(account: Account, invoice: Object, customer: Object) -> None:
    start, ending, due = balances(invoice, customer["balance"])
    invoice["starting_balance"], invoice["ending_balance"] = start, ending
    invoice["amount_due"] = invoice["amount_remaining"] = due
    if ending != start:
        kind = "invoice_too_small" if invoice["total"] > 0 and ending > 0 else "applied_to_invoice"
        balance.adjust(account, customer, ending - start, kind=kind, invoice=invoice)


def _watch_due_date(account: Account, invoice: Object) -> None:
    due = invoice["due_date"]
    account.agenda.at(due, lambda: _overdue(account, invoice, due))


def _overdue(account: Account, invoice: Object, due: int) -> None:
    if invoice["status"] != "open" or invoice["due_date"] != due:
        return
    account.journal.record("invoice.overdue", invoice)
    subscription = status.subscription_of(account, invoice)
    if subscription is not None:
        status.payment_failed(account, subscription)


def collect(
    account: Account,
    invoice: Object,
    *,
    method: Object | None = None,
    off_session: bool = True,
    scheduled: bool = True,
    known: Outcome | None = None,
) -> bool:
    """
    Ask for the money now: charge a card, or send the invoice. Return whether it is paid.

    Only scheduled attempts count for the retry schedule, except that the first of all attempts always counts.
    """
    if invoice["status"] == "paid":
        return True
    if invoice["collection_method"] == "send_invoice" and method is None:
        account.journal.record("invoice.sent", invoice)
        return False
    method = method or payments.method_for(account, invoice)
    intent = payments.intent_of(account, invoice)
    if intent is None:
        message = "an open invoice always has an intent"
        raise AssertionError(message)
    # Without a card there is nobody to ask, and the attempt fails for want of one.
    outcome = Outcome.DECLINES
    if method is not None:
        outcome = payments.attempt(account, intent, method, off_session=off_session, outcome=known)
    if scheduled or not invoice["attempted"]:
        invoice["attempt_count"] += 1
    invoice["attempted"] = True
    if outcome is Outcome.PAYS:
        mark_paid(account, invoice)
        return True
    _failed(account, invoice, outcome, scheduled=scheduled)
    return False


def authenticated(account: Account, invoice: Object, *, paid: bool) -> None:
    """Follow the end of the customer's authentication."""
    if paid:
        mark_paid(account, invoice)
    else:
        _failed(account, invoice, Outcome.DECLINES, scheduled=False)


def _failed(account: Account, invoice: Object, outcome: Outcome, *, scheduled: bool) -> None:
    subscription = status.subscription_of(account, invoice)
    began = subscription is None or subscription["status"] not in ("incomplete", "paused")
    last = False
    if not (invoice["auto_advance"] and began):
        invoice["next_payment_attempt"] = None
    elif scheduled:
        last = not _retry_later(account, invoice)
    if outcome is Outcome.ASKS:
        account.journal.record("invoice.payment_action_required", invoice)
    account.journal.record("invoice.payment_failed", invoice)
    if subscription is not None:
        status.payment_failed(account, subscription)
        if last:
            status.retries_exhausted(account, subscription)


def _retry_later(account: Account, invoice: Object) -> bool:
    """Plan the next attempt; return whether there is one."""
    days = account.billing.retry_days
    if invoice["attempt_count"] > len(days):
        invoice["next_payment_attempt"], invoice["auto_advance"] = None, False
        return False
    when = account.clock.now() + days[invoice["attempt_count"] - 1] * _DAY_S
    invoice["next_payment_attempt"] = when
    account.agenda.at(when, lambda: _retry(account, invoice, when))
    return True


def _retry(account: Account, invoice: Object, when: int) -> None:
    if invoice["status"] == "open" and invoice["auto_advance"] and invoice["next_payment_attempt"] == when:
        collect(account, invoice)


def mark_paid(account: Account, invoice: Object) -> None:
    """Mark an open invoice as paid, by its intent, out of band, or by nothing if nothing was due."""
    now = account.clock.now()
    invoice.update({"status": "paid", "attempted": True, "auto_advance": False, "next_payment_attempt": None})
    invoice["amount_paid"], invoice["amount_remaining"] = invoice["amount_due"], 0
    invoice["status_transitions"]["paid_at"] = invoice["webhooks_delivered_at"] = now
    payments.close_payment(account, invoice, paid=True)
    account.journal.record("invoice.paid", invoice)
    account.journal.record("invoice.payment_succeeded", invoice)
    _report(account, invoice)


def pay_out_of_band(account: Account, invoice: Object) -> None:
    """Take note of money that came another way; the card is no longer asked."""
    intent = payments.intent_of(account, invoice)
    if intent is not None:
        payment_intents.cancel(account, intent, "requested_by_customer")
    payments.close_payment(account, invoice, paid=False)
    mark_paid(account, invoice)


def void(account: Account, invoice: Object) -> None:
    """Take an invoice back as if it had never been; what it took from the balance is given back."""
    _give_up(account, invoice, "void", "voided_at")
    customer = account.store.get("customer", invoice["customer"])
    taken = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if taken and not customer.get("deleted"):
        with account.journal.changing(customer, "customer.updated"):
            balance.adjust(account, customer, -taken, kind="unapplied_from_invoice", invoice=invoice)
    account.journal.record("invoice.voided", invoice)
    _report(account, invoice)


def write_off(account: Account, invoice: Object) -> None:
    """Mark an invoice as uncollectible; it can still be paid."""
    invoice["status"], invoice["auto_advance"], invoice["next_payment_attempt"] = "uncollectible", False, None
    invoice["status_transitions"]["marked_uncollectible_at"] = account.clock.now()
    account.journal.record("invoice.marked_uncollectible", invoice)
    _report(account, invoice)


def _give_up(account: Account, invoice: Object, end: str, moment: str) -> None:
    intent = payments.intent_of(account, invoice)
    if intent is not None:
        payment_intents.cancel(account, intent, "void_invoice")
    payments.close_payment(account, invoice, paid=False)
    invoice.update({"status": end, "auto_advance": False, "next_payment_attempt": None})
    invoice["status_transitions"][moment] = account.clock.now()


def _report(account: Account, invoice: Object) -> None:
    subscription = status.subscription_of(account, invoice)
    if subscription is not None:
        status.invoice_settled(account, subscription, invoice)
