"""What a change in the middle of a period is worth: credit for the time not used, charge for the time left. Pure."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from infra.local.stripe.amounts import exact_amount, in_currency
from infra.local.stripe.store import Object


@dataclass(frozen=True)
class Proration:
    """One credit (negative) or charge for part of a period of a subscription item, as the item was or now is."""

    item: Object
    start: int
    end: int
    amount: int
    credit: bool


def is_metered(item: Object) -> bool:
    """Tell whether an item is billed by usage, afterwards, and so never prorated."""
    return bool(item["price"]["recurring"]["usage_type"] == "metered")


def share(price: dict[str, Any], quantity: int, part: int, whole: int) -> int:
    """Return the amount for ``part`` of ``whole`` seconds, multiplied exactly and rounded once, half away from zero."""
    exact = Fraction(exact_amount(price, quantity)) * Fraction(part, whole)
    size = (math.floor(abs(exact) * 2) + 1) // 2
    return size if exact >= 0 else -size


def unused(item: Object, at: int, currency: str) -> Proration | None:
    """Return the credit for what is left of an item's period."""
    return _part(item, at, currency, credit=True)


def remaining(item: Object, at: int, currency: str) -> Proration | None:
    """Return the charge for what is left of an item's period."""
    return _part(item, at, currency, credit=False)


def _part(item: Object, at: int, currency: str, *, credit: bool) -> Proration | None:
    start, end = item["current_period_start"], item["current_period_end"]
    if is_metered(item) or not start <= at < end:
        return None
    amount = share(in_currency(item["price"], currency), item["quantity"], end - at, end - start)
    return Proration(copy.deepcopy(item), at, end, -amount if credit else amount, credit)
