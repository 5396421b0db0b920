"""
Takes up refused usage again, for staff: after the vendor has made the meter or the price that was missing.

A revision goes back to SEALED, and the rules that every revision follows decide: told, moved to the next bill because
its own is made, or put on an invoice. Nothing is told from here, and what was put on an invoice stays there.

What the sink has heard of is doubtful, whatever refused it: Stripe counts and complains after it has taken an event,
may complain twice, and a sum that was looked at too early accuses what is counted a moment later. So its attempts are
kept until the sink's sum of that hour says that it is not in there (``keywright.metering.doubt``). Then it is told
under another id: Stripe takes an identifier once in at least 24 hours, whether or not it could count it (its API
reference, ``identifier`` of meter events). A sink without sums is told the old id, and drops it if it knows it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.jobs import service as jobs
from keywright.metering import rules, sealing
from keywright.metering.models import Route
from keywright.metering.retries import repository
from keywright.platform.clock import to_wire
from keywright.platform.db import Row, Transaction
from keywright.platform.errors import Invalid
from keywright.platform.money import decimal_text

MOST = 500


class UsageRetryInvalid(Invalid):
    """The request names neither a license nor a code, or a code that is the product's own policy."""

    code = "usage-retry-invalid"
    title = "This usage cannot be retried"


@dataclass(frozen=True)
class Refusals:
    """Which refused usage is meant: of a license, of a meter, for a reason."""

    license_sid: str | None = None
    meter: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Retried:
    """How many revisions of each license were taken up, and whether there are more than one call takes."""

    by_license: dict[str, int]
    has_more: bool


def retry(tx: Transaction, wanted: Refusals, *, actor: Actor, now: datetime, most: int = MOST) -> Retried:
    """
    Have refused revisions told or invoiced again, the oldest first, and so many at the most.

    :raises UsageRetryInvalid: if neither a license nor a code is named, or a code that nobody can mend
    """
    if wanted.license_sid is None and wanted.code is None:
        raise UsageRetryInvalid("Name a license, a code, or both.")
    if wanted.code in rules.FINAL:
        raise UsageRetryInvalid(f"What was refused as {wanted.code} follows the product's own policy, late_usage.")
    found = repository.list_refused(tx, **vars(wanted), final=rules.FINAL, limit=most + 1)
    refused = repository.lock_refused(tx, found[:most])
    repository.reopen(tx, [row["identifier"] for row in refused])
    of_license: defaultdict[str, list[Row]] = defaultdict(list)
    for row in refused:
        of_license[row["license_sid"]].append(row)
    for license_sid, theirs in of_license.items():
        _follow(tx, license_sid, theirs, actor=actor, now=now)
    if any(row["route"] == Route.METER for row in refused):
        sealing.request_push(tx, now=now)
    return Retried({license_sid: len(theirs) for license_sid, theirs in of_license.items()}, len(found) > most)


def _follow(tx: Transaction, license_sid: str, refused: list[Row], *, actor: Actor, now: datetime) -> None:
    """Record who took up what of one license, and have invoiced what is to be invoiced."""
    quantities: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in refused:
        quantities[row["meter"]] += row["quantity"]
    new = {
        "revisions": len(refused),
        "heard_of": sum(row["first_attempt_at"] is not None for row in refused),
        "codes": sorted({row["code"] for row in refused}),
        "quantities": {meter: decimal_text(quantity) for meter, quantity in sorted(quantities.items())},
    }
    audit.record(tx, "USAGE_RETRIED", actor=actor, subject=license_sid, new=new, now=now)
    if any(row["route"] == Route.INVOICE for row in refused):
        key = f"{license_sid}:retry:{to_wire(now)}"
        jobs.enqueue(tx, "metering.invoice", {"license_sid": license_sid}, key=key, now=now)
