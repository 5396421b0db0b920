"""Reads what Stripe shows of an invoice only when asked for it. Called from jobs only, outside any transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keywright.platform import stripe_client

_PAGE = 100  # the most that Stripe lists at once


def shows_all_lines(invoice: Mapping[str, Any]) -> bool:
    """Tell whether an invoice, as Stripe gave it, has all of its lines with it."""
    return not (invoice.get("lines") or {}).get("has_more")


def with_all_lines(invoice: dict[str, Any]) -> dict[str, Any]:
    """
    Return the invoice with every line; Stripe puts the first ones only into invoices.

    A draft may get lines between the two requests. An event tells of that, and the fold compares the sums.
    """
    if shows_all_lines(invoice):
        return invoice
    listed = stripe_client.client().v1.invoices.line_items.list(invoice["id"], {"limit": _PAGE})
    lines = [line.to_dict() for line in listed.auto_paging_iter()]
    return {**invoice, "lines": {**invoice["lines"], "data": lines, "has_more": False}}
