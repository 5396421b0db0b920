"""Carries out the jobs of usage: it is sealed, told, compared and billed. Sinks are called between transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from functions.job_worker.mailing import send
from functions.job_worker.pacing import Pace
from functions.job_worker.settings import Settings
from keywright.jobs.models import Skipped
from keywright.metering import confirming, doubt, gateway, limits, pushing, sealing
from keywright.metering.billing import gateway as billing_gateway
from keywright.metering.billing import service as billing
from keywright.metering.drift import reports
from keywright.metering.models import Answer, Revision, UsageSink
from keywright.platform import clock, config, db
from keywright.platform.db import Transaction

Effect = Callable[[Transaction], None]

PUSHED_AT_ONCE = 25
PUSHED_BY_A_JOB = 400
PUSHES_PER_S = 50
"""Stripe takes a thousand meter events a second, and one at a time of a customer's meter. One job tells, in a row."""

_LOOKS_BY_A_JOB = 100


def seal(_payload: dict[str, str] | None = None, *, now: datetime | None = None) -> Effect:
    """Seal what is due, close the periods that are about to be billed, and have it told."""
    moment = now or clock.now()
    for license_sid in db.transact(sealing.list_shortened):
        db.transact(lambda tx, sid=license_sid: sealing.shorten(tx, license_sid=sid, now=moment))  # type: ignore[misc]
    for license_sid in db.transact(lambda tx: sealing.list_due(tx, now=moment)):
        db.transact(lambda tx, sid=license_sid: sealing.seal(tx, license_sid=sid, now=moment))  # type: ignore[misc]
    for license_sid, period in db.transact(lambda tx: sealing.list_closing(tx, now=moment)):
        db.transact(
            lambda tx, sid=license_sid, span=period: sealing.close(tx, license_sid=sid, period=span, now=moment)  # type: ignore[misc]
        )
    return lambda tx: sealing.request_push(tx, now=moment)


def push(
    _payload: dict[str, str] | None = None,
    *,
    sink: UsageSink | None = None,
    now: datetime | None = None,
    pace: Pace | None = None,
) -> Effect | None:
    """Tell the sink what is sealed, the doubtful first; what is left is another job's."""
    told, since, teller = 0, now or clock.now(), sink or _sink()
    step = pace or Pace(per_s=PUSHES_PER_S)
    if teller.looks_up:
        _settle_doubts(teller, now=since)
    while told < PUSHED_BY_A_JOB:
        taken = db.transact(
            lambda tx: pushing.take(tx, looks_up=teller.looks_up, since=since, now=since, limit=PUSHED_AT_ONCE)
        )
        if not taken:
            return None
        _tell(teller, taken, pace=step, now=since)
        told += len(taken)
    return lambda tx: sealing.request_push(tx, now=since)


def confirm(
    _payload: dict[str, str] | None = None, *, sink: UsageSink | None = None, now: datetime | None = None
) -> None:
    """Compare what was told with what the sink has counted."""
    moment, teller = now or clock.now(), sink or _sink()
    if not teller.looks_up:
        return
    for look in db.transact(lambda tx: confirming.list_due(tx, now=moment, limit=_LOOKS_BY_A_JOB)):
        counted = teller.counted(look.first, hours=look.hours)
        db.transact(lambda tx, at=look, sums=counted: confirming.compare(tx, at, sums, now=moment))  # type: ignore[misc]


def _sink() -> UsageSink:
    settings = config.load(Settings)
    return gateway.sink(settings.usage_sink, bus=settings.event_bus)


def _settle_doubts(sink: UsageSink, *, now: datetime) -> None:
    for group in db.transact(lambda tx: pushing.list_doubtful(tx, now=now))[:_LOOKS_BY_A_JOB]:
        counted = sink.counted(group)
        db.transact(lambda tx, at=group, sums=counted: doubt.settle(tx, at, sums, now=now))  # type: ignore[misc]


def _tell(sink: UsageSink, taken: list[Revision], *, pace: Pace, now: datetime) -> None:
    """Tell one after the other, no faster than allowed; what was answered is kept even if the next call fails."""
    answers: list[Answer] = []
    try:
        for revision in taken:
            pace.wait()
            answers.append(sink.push(revision))
    finally:
        db.transact(lambda tx: pushing.record(tx, answers, now=now))


def _fetch_report(payload: dict[str, str]) -> Effect:
    report = reports.read(gateway.fetch_report(payload["event_id"]))
    return lambda tx: reports.fold(tx, report, now=clock.now())


def _invoice(payload: dict[str, str]) -> Effect:
    def prepare(tx: Transaction) -> None:
        billing.prepare(tx, license_sid=payload["license_sid"], now=clock.now())

    return prepare


def _send_bill(payload: dict[str, str]) -> Effect | Skipped:
    bill = db.transact(lambda tx: billing.find(tx, bill_sid=payload["bill_sid"]))
    if bill is None:
        return Skipped("The bill was sent.")
    invoice_id = billing_gateway.invoice(bill)
    return lambda tx: billing.sent(tx, bill, invoice_id=invoice_id, now=clock.now())


def _send_threshold(payload: dict[str, str]) -> Skipped | None:
    settings = config.load(Settings)
    mail = db.transact(lambda tx: limits.threshold_mail(tx, payload, portal_url=settings.portal_url))
    return Skipped("The license has no owner to write to.") if mail is None else send(mail, settings)


def _publish_event(payload: dict[str, str]) -> None:
    facts = {name: value for name, value in payload.items() if name != "event"}
    gateway.publish(payload["event"], facts, bus=config.load(Settings).event_bus)


JOBS: Mapping[str, Callable[[dict[str, str]], Effect | Skipped | None]] = {
    "metering.confirm": confirm,
    "metering.fetch-report": _fetch_report,
    "metering.invoice": _invoice,
    "metering.publish-event": _publish_event,
    "metering.push": push,
    "metering.seal": seal,
    "metering.send-bill": _send_bill,
    "metering.send-threshold": _send_threshold,
}
