"""
Folds Stripe's reports of meter events that it took and would not count back to the revisions they were.

A report is told by a thin event, which says where to fetch it. It names samples by identifier, which are marked at
once, and counts the rest, which the comparison of sums finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keywright.jobs import service as jobs
from keywright.metering.drift import repository
from keywright.metering.drift import service as drift
from keywright.platform.db import Transaction

EVENT_TYPES = frozenset({"v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"})


@dataclass(frozen=True)
class Complaint:
    """What a report says of one code: how many events, and which of them it names."""

    code: str
    error_count: int
    identifiers: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """A report of meter events that were not counted."""

    report_id: str
    reported_at: datetime
    complaints: tuple[Complaint, ...]


def request(tx: Transaction, *, event_id: str, now: datetime) -> None:
    """Have a report fetched that a thin event has told of."""
    jobs.enqueue(tx, "metering.fetch-report", {"event_id": event_id}, key=event_id, now=now)


def read(event: Mapping[str, Any]) -> Report:
    """Return the report that Stripe's event describes."""
    reason = event["data"]["reason"]
    return Report(
        report_id=event["id"],
        reported_at=datetime.fromisoformat(event["created"]).astimezone(UTC),
        complaints=tuple(_complaint(error) for error in reason["error_types"]),
    )


def fold(tx: Transaction, report: Report, *, now: datetime) -> None:
    """
    Mark what the report names, and keep what it does not; folding it again changes nothing.

    Not even what was taken up again meanwhile: a report speaks of one telling, and Stripe delivers it more than once.
    """
    for complaint in report.complaints:
        unnamed = complaint.error_count - len(complaint.identifiers)
        is_new = repository.add_report(
            tx,
            report_id=report.report_id,
            code=complaint.code,
            error_count=complaint.error_count,
            unnamed=max(0, unnamed),
            reported_at=report.reported_at,
            now=now,
        )
        for identifier in complaint.identifiers if is_new else ():
            drift.reject(tx, identifier=identifier, code=complaint.code, now=now)


def _complaint(error: Mapping[str, Any]) -> Complaint:
    samples = error.get("sample_errors") or ()
    named = {(sample.get("request") or {}).get("identifier") for sample in samples}
    return Complaint(error["code"], error["error_count"], tuple(sorted(name for name in named if name)))
