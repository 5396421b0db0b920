"""What a metered slice is billed for: the ledger's count, as it stood when the bill was made."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from keywright.contracts.course.changes import Bill, Slice
from keywright.contracts.subscriptions.models import Subscription
from keywright.licensing import service as licensing
from keywright.metering import service as metering
from keywright.platform.db import Transaction

SETTLES = timedelta(hours=1)
"""How long a bill of usage waits for reports that are on their way."""


def ready_at(bill: Bill) -> datetime:
    """Return when a bill may be made."""
    return bill.due_at + SETTLES if bill.is_metered else bill.due_at


def quantity(tx: Transaction, subscription: Subscription, part: Slice, *, now: datetime) -> int:
    """Return how many units are billed, a begun one counted whole. What is stored later is in no count by now."""
    asked = _question(tx, subscription, part)
    return 0 if asked is None else _whole(metering.quantity(tx, **asked, stored_before=now))


def estimate(tx: Transaction, subscription: Subscription, part: Slice, *, now: datetime) -> int:
    """Return how many units would be billed by what is known now. Nothing is written."""
    asked = _question(tx, subscription, part)
    return 0 if asked is None else _whole(metering.estimate(tx, **asked, now=now))


def _question(tx: Transaction, subscription: Subscription, part: Slice) -> dict[str, Any] | None:
    """Return what to ask the ledger; None while there is no license to report by."""
    assert part.used is not None
    sources = {"source_id": subscription.subscription_sid, "domain_sid": subscription.domain_sid}
    held = licensing.find_held(tx, **sources)
    begin, end = part.used
    return (
        None
        if held is None
        else {"license_sid": held.license_sid, "meter": part.terms.meter, "start": begin, "end": end}
    )


def _whole(used: Decimal) -> int:
    return max(int(used.to_integral_value(rounding=ROUND_CEILING)), 0)
