"""What goes another way than it should: usage that was refused, sums that differ, usage that missed its bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from keywright.audit import models as actors
from keywright.audit import service as audit
from keywright.jobs import service as jobs
from keywright.metering import revision_repository
from keywright.metering.drift import repository
from keywright.metering.models import Billing, Group, Revision, Route
from keywright.platform.clock import to_unix, to_wire
from keywright.platform.db import Transaction
from keywright.platform.money import decimal_text

_WATCHED = timedelta(days=7)


@dataclass(frozen=True)
class Figures:
    """What alarms watch: hours whose sums differ, revisions refused within a week, and how long a seal has waited."""

    drift: int
    rejected: int
    wait_s: int


def reject(tx: Transaction, *, identifier: str, code: str, route: Route = Route.METER, now: datetime) -> None:
    """Note that a revision is not counted by whoever bills it, and tell of it once."""
    revision = revision_repository.find_revision(tx, identifier=identifier)
    if revision is None:
        return
    if not revision_repository.reject(tx, identifier=identifier, code=code, route=route, now=now):
        return
    facts = {
        "license_sid": revision.license_sid,
        "meter": revision.meter,
        "window_start": to_wire(revision.window_start),
        "quantity": decimal_text(revision.quantity),
        "code": code,
    }
    new = {"identifier": identifier, **facts}
    audit.record(tx, "USAGE_REJECTED", actor=actors.STRIPE, subject=revision.license_sid, new=new, now=now)
    event = {"event": "usage.rejected", **facts}
    # What was taken up again may be refused again.
    key = f"usage.rejected:{identifier}:{to_unix(now)}"
    jobs.enqueue(tx, "metering.publish-event", event, key=key, now=now)


def note(tx: Transaction, group: Group, *, ours: Decimal, theirs: Decimal, now: datetime) -> None:
    """Note that the sums of an hour differ, once."""
    if ours != theirs and repository.note(tx, group, ours=ours, theirs=theirs, now=now):
        new = {"meter": group.meter, "hour": to_wire(group.hour), "ours": str(ours), "theirs": str(theirs)}
        audit.record(tx, "USAGE_DRIFT_FOUND", actor=actors.STRIPE, subject=group.stripe_customer_id, new=new, now=now)


def follow_move(tx: Transaction, revision: Revision, billing: Billing, *, now: datetime) -> None:
    """Tell that a revision missed its bill, and have it billed by an invoice where that is the policy."""
    new = {
        "identifier": revision.identifier,
        "policy": billing.late_policy,
        "counted_at": to_wire(billing.counted_at),
    }
    audit.record(tx, "USAGE_MISSED_ITS_BILL", actor=actors.SYSTEM, subject=revision.license_sid, new=new, now=now)
    if billing.route is Route.INVOICE:
        key = f"{revision.license_sid}:{to_unix(now)}"
        jobs.enqueue(tx, "metering.invoice", {"license_sid": revision.license_sid}, key=key, now=now)


def read_figures(tx: Transaction, *, now: datetime) -> Figures:
    """Return what alarms watch."""
    row = repository.read_figures(tx, since=now - _WATCHED)
    since = row["waiting_since"] or now
    return Figures(row["drift"], row["rejected"], max(0, int((now - since).total_seconds())))
