"""
Change a subscription in the middle of its life: items, trial, anchor, and what the change is worth.

:func:`plan` works on a copy and decides; :func:`apply` makes the plan real. A preview plans and stops there.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from infra.local.stripe.account import Account
from infra.local.stripe.errors import invalid, missing
from infra.local.stripe.parameters import merged_metadata
from infra.local.stripe.resources import subscription_objects
from infra.local.stripe.resources.billing.lines import recurring_lines
from infra.local.stripe.resources.billing.proration import Proration, remaining, unused
from infra.local.stripe.resources.billing.renewals import roll
from infra.local.stripe.store import Object


@dataclass
class Plan:
    """A change worked out: the subscription as it will be, its prorations, and whether its cycle starts over."""

    after: Object
    prorations: list[Proration] = field(default_factory=list)
    restarts: bool = False
    lines: list[Object] = field(default_factory=list)


def plan(account: Account, subscription: Object, given: dict[str, Any]) -> Plan:
    """Work out a change; nothing is kept. Prices in ``given`` are objects already."""
    now = account.clock.now()
    at = given.get("proration_date") or now
    before = copy.deepcopy(subscription["items"]["data"])
    # The copy keeps its prices by reference, so that they stay the same objects as everywhere else.
    result = Plan(_copied(subscription))
    _change_items(account, result, given.get("items", []), at)
    _restart(result, before, given, now)
    if given.get("proration_behavior") == "none" or subscription["status"] == "trialing":
        result.prorations = []
    elif result.restarts or given.get("trial_end") not in (None, "now"):
        result.prorations = [
            credit for item in before if (credit := unused(item, at, subscription["currency"])) is not None
        ]
    if result.restarts:
        trial = subscription["status"] == "trialing"
        closed = [{**item, "current_period_end": now} for item in before if not trial]
        result.lines = recurring_lines(account, result.after, before=closed)
    return result


def _copied(subscription: Object) -> Object:
    items = [{**item, "metadata": dict(item["metadata"])} for item in subscription["items"]["data"]]
    return {
        **copy.deepcopy({key: value for key, value in subscription.items() if key != "items"}),
        "items": {**subscription["items"], "data": items},
    }


def _change_items(account: Account, result: Plan, given: list[dict[str, Any]], at: int) -> None:
    items = result.after["items"]["data"]
    for entry in given:
        if not entry.get("id"):
            new = subscription_objects.add_item(account, result.after, entry)
            # All items share one period, so a new one counts as if it had been there from its start.
            new.update({edge: items[0][edge] for edge in ("current_period_start", "current_period_end")})
            parts = [remaining(new, at, result.after["currency"])]
        else:
            parts = _change_item(result.after, entry, at)
        result.prorations += [part for part in parts if part is not None]
    prices = [item["price"] for item in items]
    if not items:
        raise invalid("A subscription must have at least one active price.", param="items")
    require_compatible(prices, result.after["currency"])


def _change_item(subscription: Object, entry: dict[str, Any], at: int) -> list[Proration | None]:
    items = subscription["items"]["data"]
    item = next((item for item in items if item["id"] == entry["id"]), None)
    if item is None:
        raise missing("subscription_item", entry["id"], param="items", status=400)
    credit = unused(item, at, subscription["currency"])
    if entry.get("deleted"):
        items.remove(item)
        return [credit]
    old = (item["price"]["id"], item.get("quantity"))
    item["metadata"] = merged_metadata(item["metadata"], entry.get("metadata"))
    item["price"] = entry.get("price") or item["price"]
    if item["price"]["recurring"]["usage_type"] == "metered":
        item.pop("quantity", None)
    else:
        quantity = entry.get("quantity")
        item["quantity"] = item.get("quantity", 1) if quantity is None else quantity
    if old == (item["price"]["id"], item.get("quantity")):
        return []
    return [credit, remaining(item, at, subscription["currency"])]


def require_compatible(prices: list[Object], currency: str) -> None:
    """Refuse prices that cannot be billed together."""
    if any(price["recurring"] is None for price in prices):
        raise invalid("The price specified is of type one_time; a subscription takes recurring prices.", param="items")
    if len({price["id"] for price in prices}) < len(prices):
        raise invalid("Cannot add multiple subscription items with the same price.", param="items")
    if len({(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price in prices}) > 1:
        raise invalid("All prices of a subscription must have the same interval here.", param="items")
    if any(currency not in price["currency_options"] for price in prices):
        raise invalid("All prices of a subscription must have the same currency.", param="items")


def _restart(result: Plan, before: list[Object], given: dict[str, Any], now: int) -> None:
    """Start the cycle over where the interval, the anchor or the trial changes."""
    after, trial_end = result.after, given.get("trial_end")
    ends_trial = trial_end == "now" and after["status"] == "trialing"
    result.restarts = (
        ends_trial
        or given.get("billing_cycle_anchor") == "now"
        or _interval(before) != _interval(after["items"]["data"])
    )
    if isinstance(trial_end, int):
        after.update({"status": "trialing", "trial_end": trial_end, "billing_cycle_anchor": trial_end})
        after["trial_start"] = after["trial_start"] or now
        result.restarts = False
        for item in after["items"]["data"]:
            item["current_period_start"], item["current_period_end"] = now, trial_end
    if ends_trial:
        after.update({"status": "active", "trial_end": now})
    if result.restarts and after["status"] != "trialing":
        after["billing_cycle_anchor"] = now
        roll(after, now)
    elif after["status"] == "trialing":
        result.restarts = False


def _interval(items: list[Object]) -> tuple[str, int]:
    terms = items[0]["price"]["recurring"]
    return terms["interval"], terms["interval_count"]
