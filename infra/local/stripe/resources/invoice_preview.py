"""``invoices/create_preview``: what the next invoice will say, or would say after a change. It keeps nothing."""

from __future__ import annotations

import copy
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid
from infra.local.stripe.parameters import Choice, Each, Fields, Text
from infra.local.stripe.resources import invoice_items, invoice_objects, subscription_objects, subscription_parameters
from infra.local.stripe.resources.billing import changes, collection, creation, pending, renewals
from infra.local.stripe.resources.billing.lines import invoice_item_line, recurring_lines, usage_line
from infra.local.stripe.resources.billing.proration import is_metered
from infra.local.stripe.resources.subscription_prices import with_price
from infra.local.stripe.routing import Call, Route
from infra.local.stripe.store import Object, new_id


def create(account: Account, call: Call) -> Object:
    """Answer ``POST /v1/invoices/create_preview``."""
    given = call.parameters
    details = _details(account, given.get("subscription_details", {}))
    if given.get("subscription"):
        subscription = account.store.get("subscription", given["subscription"], param="subscription")
        customer = account.store.get("customer", subscription["customer"])
        lines, future = _of_change(account, subscription, details)
    else:
        if not given.get("customer"):
            raise invalid("Give a customer or a subscription.", param="customer", code="parameter_missing")
        customer = account.store.get("customer", given["customer"], param="customer")
        future, lines = _of_new(account, customer, given.get("currency"), details)
    lines += [
        invoice_item_line(account, pending.build(account, customer=customer["id"], **priced))
        for priced in (invoice_items.priced(account, item, customer) for item in given.get("invoice_items", []))
    ]
    return _preview(account, customer, future, lines)


def _details(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    items = [
        item if item.get("deleted") else with_price(account, item, f"subscription_details[items][{index}]")
        for index, item in enumerate(given.get("items", []))
    ]
    return {**given, "items": items}


def _of_new(
    account: Account, customer: Object, currency: str | None, details: dict[str, Any]
) -> tuple[Object, list[Object]]:
    """Return a subscription that might begin now, and the lines of its first invoice."""
    items = details["items"]
    if not items:
        raise invalid(
            "A preview needs a subscription or items.",
            param="subscription_details",
            code="invoice_no_subscription_line_items",
        )
    anchor = details.get("billing_cycle_anchor")
    terms = {**details, "billing_cycle_anchor": anchor if isinstance(anchor, int) else None}
    currency = currency or items[0]["price"]["currency"]
    changes.require_compatible([item["price"] for item in items], currency)
    future = subscription_objects.build(account, customer=customer, items=items, currency=currency, details=terms)
    return future, creation.first_lines(account, future, details)


def _of_change(account: Account, subscription: Object, details: dict[str, Any]) -> tuple[list[Object], Object]:
    """Return the lines of the invoice that a change makes now, or else of the next renewal with it."""
    if details.get("cancel_now"):
        return _final_lines(account, subscription, account.clock.now()), subscription
    plan = changes.plan(account, subscription, details)
    parts = [pending.from_proration(account, subscription, part) for part in plan.prorations]
    waiting = pending.waiting(account, subscription["customer"], subscription["currency"], subscription["id"])
    lines = [invoice_item_line(account, item) for item in (*waiting, *parts)]
    if plan.restarts:
        return lines + plan.lines, plan.after
    if parts and details.get("proration_behavior") == "always_invoice":
        return lines, plan.after
    planned = subscription["cancel_at"]
    ends = planned is not None and planned <= renewals.period_end_of(plan.after)
    if ends or subscription["cancel_at_period_end"] or details.get("cancel_at_period_end"):
        return _final_lines(account, plan.after, renewals.period_end_of(plan.after)), plan.after
    future, trial = copy.deepcopy(plan.after), plan.after["status"] == "trialing"
    before = [] if trial else plan.after["items"]["data"]
    renewals.roll(future, renewals.period_end_of(future))
    future["status"] = "active" if trial else future["status"]
    return lines + recurring_lines(account, future, before=before), future


def _final_lines(account: Account, subscription: Object, end: int) -> list[Object]:
    waiting = pending.waiting(account, subscription["customer"], subscription["currency"], subscription["id"])
    items = [{**item, "current_period_end": end} for item in subscription["items"]["data"] if is_metered(item)]
    return [
        *(invoice_item_line(account, item) for item in waiting),
        *(usage_line(account, subscription, item) for item in items),
    ]


def _preview(account: Account, customer: Object, subscription: Object, lines: list[Object]) -> Object:
    invoice = invoice_objects.build(
        account,
        customer=customer,
        subscription=subscription if account.store.find(subscription["id"]) else None,
        lines=lines,
        reason="upcoming",
        currency=subscription["currency"],
    )
    invoice["id"] = f"upcoming_{new_id('invoice')}"
    invoice["lines"]["url"] = "/v1/invoices/upcoming/lines"
    invoice_objects.total_up(invoice)
    invoice["starting_balance"], invoice["ending_balance"], due = collection.balances(invoice, customer["balance"])
    invoice["amount_due"] = invoice["amount_remaining"] = due
    return invoice


_CREATE = Fields(
    {
        "currency": Text(3),
        "customer": Text(),
        "invoice_items": Each(Fields({**invoice_items.AMOUNT, "price": Text()})),
        "preview_mode": Choice(("next",)),
        "subscription": Text(),
        "subscription_details": subscription_parameters.PREVIEW_DETAILS,
    }
)
ROUTES = (Route("POST", "/v1/invoices/create_preview", create, _CREATE),)
