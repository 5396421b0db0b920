"""
Reads what Stripe shows of invoices and subscriptions only when asked for it.

Called from jobs only, outside any transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keywright.platform import stripe_client

_PAGE = 100  # the most that Stripe lists at once
_LISTS = {"invoice": "lines", "subscription": "items"}


def shows_all(stripe: Mapping[str, Any]) -> bool:
    """Tell whether an object, as Stripe gave it, has all of its lines or items with it."""
    field = _LISTS.get(stripe["object"])
    return field is None or not (stripe.get(field) or {}).get("has_more")


def in_full(stripe: dict[str, Any]) -> dict[str, Any]:
    """
    Return the object with every line or item; Stripe puts the first ones only into it.

    There may be more of them between the two requests. An event tells of that, and the fold compares.
    """
    if shows_all(stripe):
        return stripe
    v1, field = stripe_client.client().v1, _LISTS[stripe["object"]]
    listed = (
        v1.invoices.line_items.list(stripe["id"], {"limit": _PAGE})
        if field == "lines"
        else v1.subscription_items.list({"subscription": stripe["id"], "limit": _PAGE})
    )
    every = [each.to_dict() for each in listed.auto_paging_iter()]
    return {**stripe, field: {**stripe[field], "data": every, "has_more": False}}
