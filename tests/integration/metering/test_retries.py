"""What was refused is taken up again and decided by the rules; what the sink has heard of is asked for first."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.job_worker import metering as jobs
from keywright.audit import models as actors
from keywright.metering import pushing, revision_repository, rules
from keywright.metering.drift import reports
from keywright.metering.drift import service as drift
from keywright.metering.drift.reports import Complaint, Report
from keywright.metering.models import Answer, LatePolicy, Route
from keywright.metering.retries import repository as retry_repository
from keywright.metering.retries import service as retries
from keywright.metering.retries.service import Refusals, Retried, UsageRetryInvalid
from keywright.platform import db, secrets
from keywright.platform.connection import connect_with
from keywright.platform.db import Row, Transaction
from tests.integration.metering.sealed import Sink, revisions, rows, seal
from tests.metered import BEGAN, MONTH, Metered, add_metered, usage

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
TEN = (BEGAN + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
SEALED = TEN + 2 * HOUR
REPORTED = SEALED + 3 * MINUTE
STAFF = actors.user("usr_staff")
CLIENTS, PATIENCE_S = 6, 60

Retry = Callable[[Metered, datetime], None]


@pytest.fixture
def license_(clean_database: object) -> Metered:
    """Somebody with three units that are sealed and not told."""
    license_ = add_metered()
    license_.report(usage("a", 3, at=TEN), now=TEN)
    seal(SEALED)
    return license_


def states() -> list[tuple[str, str | None]]:
    return [(row["state"], row["code"]) for row in revisions()]


def retry(license_: Metered | None, now: datetime, *, meter: str | None = None, code: str | None = None) -> Retried:
    wanted = Refusals(license_.license_sid if license_ else None, meter, code)
    return db.transact(lambda tx: retries.retry(tx, wanted, actor=STAFF, now=now))


def report(*identifiers: str, report_id: str = "evt_1", count: int | None = None, at: datetime = REPORTED) -> None:
    complaint = Complaint("no_meter", len(identifiers) if count is None else count, identifiers)
    db.transact(lambda tx: reports.fold(tx, Report(report_id, at, (complaint,)), now=at))


def named() -> str:
    (row,) = revisions()
    return str(row["identifier"])


def refused(sink: Sink) -> str:
    """Have the one revision told, and named by a report afterwards; return the name that it went by."""
    jobs.push(sink=sink, now=SEALED)
    report(named())
    return named()


def not_counted(sink: Sink) -> str:
    told_as = refused(sink)
    sink.sums.clear()
    return told_as


def test_what_was_not_counted_is_told_under_another_name_and_confirmed(license_):
    sink = Sink()
    told_as = not_counted(sink)

    retry(license_, REPORTED)
    jobs.push(sink=sink, now=REPORTED + MINUTE)
    told_at_once = len(sink.told)
    jobs.push(sink=sink, now=REPORTED + 15 * MINUTE)
    jobs.confirm(sink=sink, now=REPORTED + 40 * MINUTE)

    assert (told_at_once, states(), sink.sums) == (1, [("CONFIRMED", None)], {TEN: Decimal(3)})
    assert [revision.identifier for revision in sink.told] == [told_as, rules.renamed(told_as)]
    renamed = rows("SELECT new_value FROM audit_log WHERE action = 'USAGE_RENAMED'")
    assert [json.loads(row["new_value"])["identifier"] for row in renamed] == [named()]


def forgetful(license_: Metered, now: datetime) -> None:
    """The bug: what was refused is taken for what was never told."""
    retry(license_, now)
    db.transact(
        lambda tx: tx.run(
            "UPDATE usage_revisions SET first_attempt_at = NULL, last_attempt_at = NULL, pushed_at = NULL"
        )
    )


def hasty(license_: Metered, now: datetime) -> None:
    """The bug: another name at once, and nobody asked."""
    forgetful(license_, now)
    known_as = named()
    db.transact(lambda tx: revision_repository.rename(tx, identifier=known_as, new_identifier=rules.renamed(known_as)))


class Brief(Sink):
    """A sink that has forgotten the names of the day before, as Stripe may."""

    def forget(self) -> None:
        """Forget every name, and keep the sums."""
        self.told.clear()


def counted_in_the_end(license_: Metered, again: Retry) -> Decimal:
    """Have a report name what the sink counts nevertheless, and take it up a day later; return what is counted."""
    sink = Brief()
    refused(sink)
    sink.forget()
    again(license_, SEALED + 25 * HOUR)
    jobs.push(sink=sink, now=SEALED + 25 * HOUR + MINUTE)
    jobs.confirm(sink=sink, now=SEALED + 26 * HOUR)
    return sink.sums[TEN]


def test_what_was_counted_in_spite_of_its_refusal_is_not_told_again(license_):
    counted = counted_in_the_end(license_, lambda who, now: [retry(who, now)].clear())

    assert (counted, states()) == (Decimal(3), [("CONFIRMED", None)])


@pytest.mark.parametrize("bug", [forgetful, hasty])
def test_a_retry_that_forgets_what_was_told_is_caught(license_, bug):
    assert counted_in_the_end(license_, bug) == Decimal(6)


def test_a_confirmed_one_that_a_late_report_names_is_asked_for_too(license_):
    sink = Sink()
    jobs.push(sink=sink, now=SEALED)
    jobs.confirm(sink=sink, now=SEALED + 20 * MINUTE)
    report(named(), at=SEALED + 30 * MINUTE)

    retry(license_, SEALED + HOUR)
    jobs.push(sink=sink, now=SEALED + HOUR)
    jobs.confirm(sink=sink, now=SEALED + 2 * HOUR)

    assert (len(sink.told), sink.sums, states()) == (1, {TEN: Decimal(3)}, [("CONFIRMED", None)])


def test_a_report_that_comes_again_or_late_does_not_undo_a_retry(license_):
    sink = Sink()
    told_as = not_counted(sink)

    retry(license_, REPORTED)
    report(told_as)
    after_the_same = states()
    jobs.push(sink=sink, now=REPORTED + 15 * MINUTE)
    report(told_as, report_id="evt_2", at=REPORTED + 20 * MINUTE)

    assert (after_the_same, states()) == ([("SEALED", None)], [("PUSHED", None)])


def test_an_answer_that_is_older_than_the_refusal_is_not_believed(license_):
    (taken,) = db.transact(
        lambda tx: pushing.take(tx, looks_up=True, since=SEALED, now=SEALED, limit=10),
    )
    report(taken.identifier)
    retry(license_, REPORTED)

    db.transact(lambda tx: pushing.record(tx, [Answer(taken.identifier, taken=True)], now=REPORTED))
    before = states()
    sink = Sink()
    jobs.push(sink=sink, now=REPORTED + 15 * MINUTE)

    assert (before, states(), sink.sums) == ([("SEALED", None)], [("PUSHED", None)], {TEN: Decimal(3)})


def test_a_sink_that_keeps_no_sums_is_told_the_name_that_it_may_know(license_):
    sink = Sink(looks_up=False)
    told_as = refused(sink)

    retry(license_, REPORTED)
    jobs.push(sink=sink, now=REPORTED + MINUTE)

    assert [revision.identifier for revision in sink.told] == [told_as] * 2
    assert (states(), sink.sums) == ([("PUSHED", None)], {TEN: Decimal(3)})


def test_what_a_report_counts_and_does_not_name_does_not_hold_up_what_it_names(license_):
    sink = Sink()
    license_.report(usage("b", 4, at=TEN + MINUTE), now=SEALED)
    seal(SEALED + MINUTE)
    jobs.push(sink=sink, now=SEALED + MINUTE)
    sink.sums.clear()
    first, second = revisions()
    report(first["identifier"], count=2)

    retry(license_, REPORTED)
    jobs.push(sink=sink, now=REPORTED + 15 * MINUTE)
    early = states()
    jobs.push(sink=sink, now=REPORTED + 2 * HOUR)
    late = states()
    retry(license_, REPORTED + 2 * HOUR)
    jobs.push(sink=sink, now=REPORTED + 3 * HOUR)
    jobs.confirm(sink=sink, now=REPORTED + 4 * HOUR)

    assert (early, late) == ([("SEALED", None), ("PUSHED", None)], [("PUSHED", None), ("REJECTED", "no_meter")])
    assert (sink.sums, states()) == ({TEN: Decimal(7)}, [("CONFIRMED", None)] * 2)
    assert {revision.identifier for revision in sink.told} > {first["identifier"], second["identifier"]}


def test_what_missed_its_bill_meanwhile_goes_on_the_next_one(license_):
    sink = Sink()
    not_counted(sink)
    license_.renew(BEGAN + MONTH, BEGAN + 2 * MONTH)
    late = BEGAN + MONTH + 2 * HOUR

    retry(license_, late)
    for _ in range(2):
        jobs.push(sink=sink, now=late)

    assert sink.sums == {late.replace(minute=0, second=0, microsecond=0): Decimal(3)}
    assert [(row["state"], row["late_policy"]) for row in revisions()] == [("PUSHED", "BILL_NEXT")]


def test_what_is_on_an_invoice_by_now_is_not_refused_by_a_report_of_its_first_telling(license_):
    told_as = named()
    moved = {"route": Route.INVOICE, "counted_at": SEALED, "late_policy": LatePolicy.ADJUST, "state": "SEALED"}
    db.transact(
        lambda tx: tx.run(
            "UPDATE usage_revisions SET route = %(route)s, late_policy = %(late_policy)s, counted_at = %(counted_at)s",
            **moved,
        )
    )

    report(told_as)

    assert states() == [("SEALED", None)]


@pytest.mark.parametrize("meter", [None, "api_calls"])
def test_what_was_dropped_as_late_stays_dropped(clean_database, meter):
    license_ = add_metered(metadata={"late_usage": "DROP_AND_RECORD"})
    license_.report(usage("in time", 5, at=BEGAN) | {"id": "in-time"}, now=BEGAN)
    license_.renew(BEGAN + MONTH, BEGAN + 2 * MONTH)
    seal(BEGAN + MONTH + rules.CLOSE_AFTER)
    license_.report(usage("late", 3, at=BEGAN + HOUR), now=BEGAN + MONTH + 2 * HOUR)
    seal(BEGAN + MONTH + 3 * HOUR)

    done = retry(license_, BEGAN + MONTH + 4 * HOUR, meter=meter)
    with pytest.raises(UsageRetryInvalid, match="late_usage"):
        retry(license_, BEGAN + MONTH + 4 * HOUR, code=rules.DROPPED_LATE)

    assert (done.by_license, done.has_more) == ({}, False)
    assert ("REJECTED", "dropped-late") in states()


def test_one_call_takes_so_many_and_says_that_there_are_more(clean_database):
    license_, other = add_metered(), add_metered("bob")
    for each in (license_, other):
        each.report(*(usage(f"e{n}", at=TEN + n * HOUR) for n in range(3)), now=TEN + 3 * HOUR)
    seal(TEN + 5 * HOUR)
    jobs.push(sink=Sink(), now=TEN + 5 * HOUR)
    report(*(row["identifier"] for row in revisions()), at=TEN + 6 * HOUR)
    db.transact(lambda tx: tx.run("DELETE FROM jobs"))

    def call(**wanted: Any) -> Retried:
        return db.transact(lambda tx: retries.retry(tx, Refusals(**wanted), actor=STAFF, now=TEN + 6 * HOUR, most=2))

    elsewhere = [call(code="archived_meter"), call(code="no_meter", meter="storage")]
    first, second = call(license_sid=license_.license_sid), call(license_sid=license_.license_sid)
    rest = [call(code="no_meter") for _ in range(3)]

    assert elsewhere == [Retried({}, has_more=False)] * 2
    assert first == Retried({license_.license_sid: 2}, has_more=True)
    assert second == Retried({license_.license_sid: 1}, has_more=False)
    assert [sum(done.by_license.values()) for done in rest] == [2, 1, 0]
    audited = rows("SELECT subject_sid, actor_sid, new_value FROM audit_log WHERE action = 'USAGE_RETRIED'")
    assert {row["subject_sid"] for row in audited} == {license_.license_sid, other.license_sid}
    assert sum(json.loads(row["new_value"])["revisions"] for row in audited) == 6
    assert rows("SELECT kind FROM jobs") == [{"kind": "metering.push"}]


def test_a_retry_without_a_license_or_a_code_is_refused(clean_database):
    with pytest.raises(UsageRetryInvalid, match="license"):
        retry(None, SEALED, meter="api_calls")


class Unlocked(Transaction):
    """The bug: what is refused is read without a lock. All have read before one of them writes."""

    together = threading.Barrier(CLIENTS)

    def all(self, query: str, **parameters: object) -> list[Row]:
        """Leave out the lock, and wait for the others."""
        found = super().all(query.replace("FOR UPDATE", ""), **parameters)
        if "FOR UPDATE" in query and "REJECTED" in query:
            self.together.wait(PATIENCE_S)
        return found


def taken_up_at_once(license_: Metered, kind: type[Transaction]) -> tuple[int, int]:
    """Have several members of staff retry at the same moment; return how many answers and audit entries say one."""
    connections = [connect_with(secrets.read("DATABASE")) for _ in range(CLIENTS)]
    start, wanted = threading.Barrier(CLIENTS), Refusals(license_.license_sid)

    def attempt(number: int) -> int:
        connection = connections[number]
        start.wait(PATIENCE_S)
        connection.begin()
        done = retries.retry(kind(connection), wanted, actor=STAFF, now=REPORTED + HOUR)
        connection.commit()
        return sum(done.by_license.values())

    with ThreadPoolExecutor(CLIENTS) as threads:
        answered = sum(threads.map(attempt, range(CLIENTS)))
    for connection in connections:
        connection.close()
    return answered, len(rows("SELECT audit_id FROM audit_log WHERE action = 'USAGE_RETRIED'"))


def test_of_several_who_retry_at_once_one_takes_it_up(license_):
    sink = Sink()
    not_counted(sink)

    done = taken_up_at_once(license_, Transaction)
    jobs.push(sink=sink, now=REPORTED + 2 * HOUR)

    assert (done, states(), sink.sums) == ((1, 1), [("PUSHED", None)], {TEN: Decimal(3)})


def test_a_retry_without_a_lock_is_caught(license_):
    not_counted(Sink())

    assert taken_up_at_once(license_, Unlocked) != (1, 1)


def test_the_alarm_counts_what_is_still_refused(license_):
    not_counted(Sink())
    before = db.transact(lambda tx: drift.read_figures(tx, now=REPORTED))

    retry(license_, REPORTED)

    after = db.transact(lambda tx: drift.read_figures(tx, now=REPORTED))
    assert (before.rejected, after.rejected) == (1, 0)
    locked = db.transact(lambda tx: retry_repository.lock_refused(tx, [named()]))
    assert locked == []
