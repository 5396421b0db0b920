"""
Whatever is refused, reported wrongly, twice or late, and retried whenever staff likes, is counted once in the end.

``REFUSALS`` says how many histories are played: ``make soak`` plays more.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from functions.job_worker import metering as jobs
from functions.job_worker.pacing import Pace
from keywright.audit import models as actors
from keywright.metering.drift import reports
from keywright.metering.drift.reports import Complaint, Report
from keywright.metering.models import Answer, Group, Revision, WindowState
from keywright.metering.retries import service as retries
from keywright.metering.retries.service import Refusals
from keywright.platform import db
from keywright.platform.stripe_client import StripeUnavailable
from tests.conftest import Database
from tests.integration.metering.sealed import revisions, rows, seal
from tests.metered import BEGAN, Metered, add_metered, usage

HISTORIES = int(os.environ.get("REFUSALS", "4"))
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
BEGIN = (BEGAN + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
HOURS, TURNS = 4, 30
CODE = "archived_meter"

Retry = Callable[[Metered, datetime], None]


class Moody:
    """A sink as Stripe is: it takes first and counts later or not at all, knows names for a day, and loses answers."""

    looks_up = True

    def __init__(self, chance: random.Random) -> None:
        self.now, self.is_well, self._chance = BEGIN, False, chance
        self.sums: dict[datetime, Decimal] = {}
        self.refused: list[str] = []
        self.counted_as: list[str] = []
        self._names: dict[str, datetime] = {}

    def push(self, revision: Revision) -> Answer:
        """Take an event, or lose the answer, before or after it arrived."""
        lost = None if self.is_well else self._chance.choice([None, None, None, "before", "after"])
        if lost != "before":
            self._take(revision)
        if lost is not None:
            raise StripeUnavailable("Stripe does not answer. Try again.")
        return Answer(revision.identifier, taken=True)

    def _take(self, revision: Revision) -> None:
        name, hour = revision.identifier, revision.counted_at.replace(minute=0, second=0, microsecond=0)
        if self.now - self._names.get(name, BEGIN - DAY) < DAY:
            return
        self._names[name] = self.now
        if self.is_well or self._chance.random() < 0.5:
            self.sums[hour] = self.sums.get(hour, Decimal(0)) + revision.quantity
            self.counted_as.append(name)
        else:
            self.refused.append(name)

    def counted(self, group: Group, *, hours: int = 1) -> Mapping[datetime, Decimal]:
        """Say what was counted."""
        del group, hours
        return self.sums


class History:
    """Four hours of use, of which the sink refuses half, and a week in which everything is tried to have it billed."""

    def __init__(self, seed: int, retry: Retry) -> None:
        self.chance, self._retry = random.Random(seed), retry
        self.sink, self._license, self._reports = Moody(self.chance), add_metered(), list[Report]()

    def play(self) -> None:
        """Live through troubled days, and then some in which all is well."""
        for hour in range(HOURS):
            for part in range(2):
                at, value = BEGIN + hour * HOUR + part * MINUTE, self.chance.randrange(1, 50)
                self._license.report(usage(f"e{hour}-{part}", value, at=at), now=BEGIN + (HOURS + 1) * HOUR)
                if self.chance.random() < 0.7:
                    seal(BEGIN + (HOURS + 2) * HOUR)
        now = BEGIN + (HOURS + 3) * HOUR
        seal(now)
        for _ in range(TURNS):
            now += self.chance.choice([5 * MINUTE, 20 * MINUTE, 3 * HOUR, 10 * HOUR])
            self._turn(now)
        self.sink.is_well = True
        for _ in range(12):
            now += 2 * HOUR
            self._tell(now)
            self._work(now)
            self._retry(self._license, now)

    def _turn(self, now: datetime) -> None:
        if self.chance.random() < 0.5:
            self._tell(now)
        if self.chance.random() < 0.4:
            self._retry(self._license, now)
        self._work(now)

    def _work(self, now: datetime) -> None:
        self.sink.now = now
        try:
            jobs.push(sink=self.sink, now=now, pace=Pace(per_s=1_000_000))
        except StripeUnavailable:
            return
        jobs.confirm(sink=self.sink, now=now)

    def _tell(self, now: datetime) -> None:
        """Report what was refused, some of it by name; now and then what was counted; and an older report again."""
        named, self.sink.refused = self.sink.refused, []
        count = len(named)
        if count > 1 and self.chance.random() < 0.4:
            named = named[1:]
        if self.sink.counted_as and not self.sink.is_well and self.chance.random() < 0.3:
            named, count = [*named, self.chance.choice(self.sink.counted_as)], count + 1
        if count:
            self._reports.append(Report(f"evt_{len(self._reports)}", now, (Complaint(CODE, count, tuple(named)),)))
        told = self._reports[-1:] + self.chance.sample(self._reports, min(2, len(self._reports)))
        for report in told:
            db.transact(lambda tx, each=report: reports.fold(tx, each, now=now))  # type: ignore[misc]

    def differences(self) -> list[str]:
        """Return what is not as it must be."""
        ours = Decimal(rows("SELECT SUM(quantity) AS q FROM usage_events")[0]["q"])
        theirs = sum(self.sink.sums.values(), Decimal(0))
        wrong = [] if ours == theirs else [f"used {ours}, counted {theirs}"]
        open_ = [row["state"] for row in revisions() if row["state"] != WindowState.CONFIRMED]
        drift = rows("SELECT drift_id FROM usage_drift WHERE healed_at IS NULL")
        return wrong + ([f"unsettled: {open_}"] if open_ else []) + ([f"{len(drift)} hours differ"] if drift else [])


def taken_up(license_: Metered, now: datetime) -> None:
    actor = actors.user("usr_staff")
    db.transact(lambda tx: retries.retry(tx, Refusals(license_.license_sid), actor=actor, now=now))


def forgetful(license_: Metered, now: datetime) -> None:
    """The bug: what was refused is taken for what was never told."""
    refused = [row["identifier"] for row in revisions() if row["state"] == WindowState.REJECTED]
    taken_up(license_, now)
    forget = "UPDATE usage_revisions SET first_attempt_at = NULL, last_attempt_at = NULL, pushed_at = NULL"
    for name in refused:
        db.transact(lambda tx, sid=name: tx.run(f"{forget} WHERE identifier = %(sid)s", sid=sid))  # type: ignore[misc]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_every_side_agrees_whatever_was_refused_and_retried(seed: int, clean_database: Database) -> None:
    history = History(seed, taken_up)

    history.play()

    assert history.differences() == []
    assert rows("SELECT audit_id FROM audit_log WHERE action = 'USAGE_RETRIED'") != []


def test_a_retry_that_forgets_what_was_told_is_seen_in_the_books(clean_database: Database) -> None:
    history = History(0, forgetful)

    history.play()

    assert history.differences() != []
