"""
When a failed payment restricts access: at once, after the next attempt, or after some days. Pure.

The beginning is always a fact of the invoice (its first failure), never the moment of asking: a grace that began
whenever somebody looked would never end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from keywright.billing.models import Bill
from keywright.platform.kinds import Kind

ATTEMPT_MARGIN = timedelta(hours=1)
"""How long after a planned attempt its outcome may take to reach us."""

_FORM = re.compile(r"IMMEDIATE|UNTIL_NEXT_ATTEMPT|FIXED_DAYS\((\d{1,3})\)")


class DunningKind(StrEnum):
    """What a grace is measured by."""

    IMMEDIATE = "IMMEDIATE"
    UNTIL_NEXT_ATTEMPT = "UNTIL_NEXT_ATTEMPT"
    FIXED_DAYS = "FIXED_DAYS"


@dataclass(frozen=True)
class DunningPolicy:
    """The deployment's choice; ``days`` counts for FIXED_DAYS alone."""

    kind: DunningKind = DunningKind.IMMEDIATE
    days: int = 0


AT_ONCE = DunningPolicy()


def read_policy(text: str) -> DunningPolicy:
    """
    Return the policy that a text names: ``IMMEDIATE``, ``UNTIL_NEXT_ATTEMPT`` or ``FIXED_DAYS(7)``.

    :raises ValueError: if it names none
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"The dunning policy {text!r} is none of IMMEDIATE, UNTIL_NEXT_ATTEMPT, FIXED_DAYS(n).")
    if match[1] is not None:
        return DunningPolicy(DunningKind.FIXED_DAYS, int(match[1]))
    return DunningPolicy(DunningKind(text))


DunningSetting = Annotated[DunningPolicy, Kind("`IMMEDIATE`, `UNTIL_NEXT_ATTEMPT` or `FIXED_DAYS(n)`", read_policy)]


def failed_at(bill: Bill, *, in_arrears: bool) -> datetime | None:
    """
    Return when paying a bill failed; None if nothing may be held against the customer.

    A first payment that is not finished never began anything that could be restricted, and an invoice that waits for
    its customer to authenticate has not failed. ``in_arrears`` is what Stripe says of the subscription: it stands in
    for a failure that we have not been told of.
    """
    if bill.status != "open" or bill.amount_remaining <= 0 or bill.billing_reason == "subscription_create":
        return None
    if bill.awaits_customer:
        return None
    if bill.collection_method == "send_invoice":
        return bill.due_at
    if bill.failed_at is not None:
        return bill.failed_at
    return (bill.finalized_at or bill.created_at) if bill.attempted and in_arrears else None


def restricted_from(bill: Bill, policy: DunningPolicy, *, in_arrears: bool) -> datetime | None:
    """Return when the bill restricts access, past or future; None if it does not."""
    beginning = failed_at(bill, in_arrears=in_arrears)
    if beginning is None:
        return None
    if policy.kind is DunningKind.FIXED_DAYS:
        return beginning + timedelta(days=policy.days)
    if policy.kind is DunningKind.UNTIL_NEXT_ATTEMPT:
        return _next_attempt_over(bill) or beginning
    return beginning


def _next_attempt_over(bill: Bill) -> datetime | None:
    """
    Return when the attempt after the first failure has failed too, or should have been heard of; None if there is none.

    Each failure plans another attempt, so what the invoice plans now counts only where its first plan is not known.
    """
    planned = bill.first_retry_at or bill.next_attempt_at
    ends = [bill.failed_again_at, None if planned is None else planned + ATTEMPT_MARGIN]
    return min((end for end in ends if end is not None), default=None)
