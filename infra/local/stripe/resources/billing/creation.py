"""Begin a subscription: its first period or trial, its first invoice, and the status that the first payment gives."""

from __future__ import annotations

from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.amounts import in_currency, line_amount
from infra.local.stripe.billing_settings import minimum_charge
from infra.local.stripe.cards import NOT_AUTHENTICATED, Outcome
from infra.local.stripe.errors import StripeError, invalid
from infra.local.stripe.periods import period_around
from infra.local.stripe.resources import subscription_objects
from infra.local.stripe.resources.billing import invoicing, payments, pending, renewals
from infra.local.stripe.resources.billing.lines import product_name, recurring_lines
from infra.local.stripe.resources.billing.proration import is_metered, share
from infra.local.stripe.store import Object


def begin(
    account: Account,
    *,
    customer: Object,
    items: list[Object],
    extras: list[Object],
    currency: str,
    details: dict[str, Any],
    known: Outcome | None = None,
) -> Object:
    """
    Open a subscription and bill its first period.

    ``items`` and ``extras`` are hashes of a price and a quantity, recurring and one-time; ``details`` are the other
    parameters, already checked one by one. ``known`` is how the payment ended on the hosted page.
    """
    behavior, off_session = details.get("payment_behavior", "allow_incomplete"), details.get("off_session", False)
    subscription = subscription_objects.build(
        account, customer=customer, items=items, currency=currency, details=details
    )
    lines = first_lines(account, subscription, details)
    charged = _charged(account, customer, subscription, lines, extras)
    if charged and subscription["collection_method"] == "charge_automatically":
        pays = known is Outcome.PAYS or _would_pay(account, customer, subscription, behavior, off_session=off_session)
        if not pays or behavior == "default_incomplete":
            subscription["status"] = "incomplete"
    _schedule_end(subscription, details)
    account.store.add(subscription)
    add_extras(account, subscription, extras)
    invoice = invoicing.draft(account, subscription, lines, "subscription_create")
    account.journal.record("customer.subscription.created", subscription)
    attempt = behavior != "default_incomplete"
    invoicing.bill_now(account, invoice, attempt=attempt, off_session=off_session, known=known)
    renewals.watch(account, subscription)
    if subscription["status"] == "incomplete":
        renewals.watch_first_payment(account, subscription)
    if subscription["status"] == "trialing":
        renewals.watch_trial(account, subscription)
    return subscription


def first_lines(account: Account, subscription: Object, details: dict[str, Any]) -> list[Object]:
    """Return the lines of the first invoice; a first period that an anchor cuts short costs its share."""
    lines = recurring_lines(account, subscription, before=None)
    if subscription["status"] == "trialing":
        return lines
    for item, line in zip(subscription["items"]["data"], lines, strict=True):
        terms, start = item["price"]["recurring"], item["current_period_start"]
        anchor = subscription["billing_cycle_anchor"]
        whole_start, end = period_around(anchor, terms["interval"], terms["interval_count"], start)
        if whole_start == start or is_metered(item):
            continue
        free = details.get("proration_behavior") == "none"
        amount = (
            0
            if free
            else share(
                in_currency(item["price"], subscription["currency"]), item["quantity"], end - start, end - whole_start
            )
        )
        line["amount"] = line["subtotal"] = amount
        line["parent"]["subscription_item_details"]["proration"] = True
    return lines


def extra_amount(extra: Object, currency: str) -> int:
    """Return what a one-time price costs on the first invoice."""
    return line_amount(in_currency(extra["price"], currency), extra["quantity"])


def _charged(
    account: Account, customer: Object, subscription: Object, lines: list[Object], extras: list[Object]
) -> bool:
    """Tell whether the first invoice will ask for money, after the customer's balance."""
    waiting = pending.waiting(account, customer["id"], subscription["currency"], subscription["id"])
    total = sum(line["amount"] for line in (*lines, *waiting)) + sum(
        extra_amount(extra, subscription["currency"]) for extra in extras
    )
    return bool(total > 0 and total + customer["balance"] >= minimum_charge(subscription["currency"]))


def _would_pay(account: Account, customer: Object, subscription: Object, behavior: str, *, off_session: bool) -> bool:
    """Tell whether the first payment will go through; refuse what the payment behavior does not allow."""
    method = payments.first_usable(account, customer, subscription)
    if behavior == "default_incomplete":
        return False
    if method is None:
        message = (
            "This customer has no attached payment source or default payment method. "
            "Please consider adding a default payment method."
        )
        raise invalid(message, code="resource_missing")
    outcome = payments.outcome_of(account, method, off_session=off_session)
    if behavior == "error_if_incomplete":
        require_payment(account, method, off_session=off_session)
    return outcome is Outcome.PAYS


def require_payment(account: Account, method: Object | None, *, off_session: bool) -> None:
    """Refuse what would leave an invoice open, with the bank's reason."""
    if method is None:
        message = "This customer has no attached payment source or default payment method."
        raise invalid(message, code="resource_missing")
    outcome = payments.outcome_of(account, method, off_session=off_session)
    if outcome is Outcome.PAYS:
        return
    decline = NOT_AUTHENTICATED if outcome is Outcome.ASKS else payments.decline_of(method)
    code = "subscription_payment_intent_requires_action" if outcome is Outcome.ASKS else decline.code
    raise StripeError(
        decline.message, status=402, kind="card_error", code=code, details={"decline_code": decline.decline_code}
    )


def _schedule_end(subscription: Object, details: dict[str, Any]) -> None:
    if details.get("cancel_at_period_end"):
        subscription["cancel_at_period_end"] = True
        subscription["cancel_at"] = renewals.period_end_of(subscription)
        subscription["canceled_at"] = subscription["created"]
        subscription["cancellation_details"]["reason"] = "cancellation_requested"
    elif details.get("cancel_at") is not None:
        subscription["cancel_at"] = details["cancel_at"]


def add_extras(account: Account, subscription: Object, extras: list[Object]) -> None:
    """Let one-time prices wait for the subscription's next invoice."""
    for extra in extras:
        item = pending.build(
            account,
            amount=extra_amount(extra, subscription["currency"]),
            currency=subscription["currency"],
            customer=subscription["customer"],
            description=product_name(account, extra["price"]),
            metadata=extra.get("metadata"),
            price=extra["price"],
            quantity=extra["quantity"],
            subscription=subscription["id"],
        )
        account.create(item, "invoiceitem.created")
