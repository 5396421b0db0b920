"""
A year of contracts in virtual time: the run fires not at all, once, twice, ten times, in many processes at once, and is
killed in between; and the books are what an oracle reckons that knows nothing of the code.

``CONTRACTS`` says how many subscriptions live (12), ``BILLERS`` how many processes run at once (3).
"""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from keywright.contracts import billing_run
from keywright.contracts.course import calendar
from keywright.contracts.course.changes import Course, PausePolicy
from keywright.contracts.course.walk import Walk, follow
from keywright.platform import db
from tests import contract_lives as lives
from tests.agreements import add_entity
from tests.conftest import ROOT, Database
from tests.contract_books import findings, fingerprint
from tests.contract_lives import START, Book
from tests.queue_hints import drop

CONTRACTS = int(os.environ.get("CONTRACTS", "12"))
BILLERS = int(os.environ.get("BILLERS", "3"))
SEED = int(os.environ.get("SEED", "1"))
END = START + timedelta(days=400)


class Fleet:
    """Processes that run the billing run, and are replaced when they were killed."""

    def __init__(self, size: int) -> None:
        self._size, self.killed = size, 0
        self._processes: list[subprocess.Popen[str]] = []

    def begin(self) -> None:
        for _ in range(self._size):
            self._processes.append(self._start())

    def run(self, moment: datetime, *, times: int, at_once: int, kill: random.Random | None = None) -> None:
        for _ in range(times):
            busy = [self._living(number) for number in range(min(at_once, self._size))]
            for process in busy:
                self._say(process, f"run {moment.isoformat()}")
            if kill is not None:
                victim = kill.choice(busy)
                # Dead at some moment of its work, or just behind it.
                assert victim.stdout is not None
                select.select([victim.stdout], [], [], kill.uniform(0, 0.25))
                victim.kill()
                victim.wait()
                self.killed += 1
            self._await([process for process in busy if process.poll() is None])

    def look(self, moment: datetime) -> None:
        # All of them are awake before any of them begins.
        self.run(START, times=1, at_once=self._size)
        busy = [self._living(number) for number in range(self._size)]
        for process in busy:
            self._say(process, f"looking {moment.isoformat()}")
        self._await(busy)

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()

    def _living(self, number: int) -> subprocess.Popen[str]:
        process = self._processes[number]
        if process.poll() is not None:
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
            self._processes[number] = process = self._start()
        return process

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.reliability.contracts.bill_in_a_process"]
        paths = os.pathsep.join(
            [str(ROOT), *(str(ROOT / part) for part in ("layers/core/python", "layers/verifier/python"))]
        )
        pipe = subprocess.PIPE
        environment = {**os.environ, "PYTHONPATH": paths}
        return subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, bufsize=1, env=environment)

    @staticmethod
    def _say(process: subprocess.Popen[str], line: str) -> None:
        assert process.stdin is not None
        process.stdin.write(line + "\n")
        process.stdin.flush()

    @staticmethod
    def _await(processes: list[subprocess.Popen[str]]) -> None:
        for process in processes:
            assert process.stdout is not None
            # Its log comes the same way.
            assert any(line == "done\n" for line in iter(process.stdout.readline, ""))


@contextmanager
def fleet(size: int) -> Iterator[Fleet]:
    running = Fleet(size)
    try:
        running.begin()
        yield running
    finally:
        running.end()


def run_here(moment: datetime, **parts: Any) -> None:
    """Run in this process, with a saboteur at the desk."""
    one = lives.desk(moment, **parts)
    for due in db.transact(lambda tx: billing_run.list_due(tx, as_of=moment, limit=5000)):
        db.transact(lambda tx, sid=due.subscription_sid: billing_run.bill(tx, one, subscription_sid=sid, as_of=moment))  # type: ignore[misc]


def live(count: int, chance: random.Random, *, run: Any, **parts: Any) -> list[Book]:
    """Let a year pass: subscriptions begin, things happen to them, and the run fires in between as it likes."""
    plans, begun = lives.make(count, chance)
    books: list[Book] = []
    agenda = [(moment, "begin", facts) for moment, facts in begun]
    agenda += [(moment, "do", None) for moment in lives.moments(chance, until=END, count=count * 6)]
    agenda += [(START + timedelta(days=5 * number, hours=3), "run", None) for number in range(80)]
    for moment, what, facts in sorted(agenda, key=lambda entry: (entry[0], entry[1])):
        if what == "begin":
            books.append(lives.begin(moment, facts, plans=plans, chance=chance, **parts))
        elif what == "run":
            # Nobody carries the jobs out here, and a queue that only grows slows everybody.
            drop("JOBS")
            run(moment)
        elif books:
            lives.do_something(chance.choice(books), moment, plans=plans, chance=chance, **parts)
    run(END)
    return books


@pytest.mark.timeout(3600)
def test_however_the_run_fires_each_period_is_billed_once_and_right(clean_database: Database) -> None:
    chance = random.Random(SEED)
    with fleet(BILLERS) as billers:

        def run(moment: datetime) -> None:
            # Not at all, once, twice, ten times; alone or all at once; and now and then somebody dies of it.
            times, at_once = chance.choice([(0, 1), (0, 1), (1, 1), (2, 1), (10, 1), (1, BILLERS), (2, BILLERS)])
            kill = chance if chance.random() < 0.2 else None
            billers.run(moment, times=times, at_once=at_once, kill=kill)

        books = live(CONTRACTS, chance, run=run)
        billers.run(END, times=1, at_once=BILLERS)
        wrong = findings(clean_database, books, until=END)
        before = fingerprint(clean_database)
        billers.run(END, times=2, at_once=BILLERS)
        killed = billers.killed

    counted = clean_database.execute(
        "SELECT COUNT(*) AS n, SUM(document_kind = 'CREDIT_NOTE') AS notes FROM contract_invoices"
    )
    deeds = sum(len(book.life.deeds) for book in books)
    sys.stdout.write(f"{len(books)} subscriptions, {deeds} deeds, {counted[0]}, {killed} processes killed\n")
    assert wrong == []
    assert fingerprint(clean_database) == before
    assert killed > 0


class DriftingWalk(Walk):
    """Counts the next edge from the last one, so that the 31st becomes the 28th for ever."""

    def _open(self, start: Any, **given: Any) -> None:
        self._anchor, self._cycles = start, 0
        super()._open(start, **given)


def drifting(sid: str, changes: Any, *, where: ZoneInfo, policy: PausePolicy, until: datetime) -> Course:
    return follow(sid, changes, where=where, policy=policy, until=until, walk=DriftingWalk)


def by_our_own_clock(sid: str, changes: Any, *, where: ZoneInfo, policy: PausePolicy, until: datetime) -> Course:
    return follow(sid, changes, where=calendar.zone("America/Los_Angeles"), policy=policy, until=until)


def month_ends(**parts: Any) -> list[Book]:
    """Let subscriptions run undisturbed that began on the 31st, in different places."""
    plans, _ = lives.make(0, random.Random(0))
    moment = datetime(2027, 8, 31, 11, tzinfo=UTC)
    zones = ("Pacific/Auckland", "America/New_York")
    facts = [
        (number, zone, lives.TARIFFS[0], None, False, add_entity(f"M{number}")) for number, zone in enumerate(zones)
    ]
    books = [lives.begin(moment, each, plans=plans, chance=random.Random(1), **parts) for each in facts]
    run_here(END, **parts)
    return books


@pytest.mark.parametrize("saboteur", [drifting, by_our_own_clock])
def test_a_course_that_drifts_or_is_walked_by_local_time_is_caught(clean_database: Database, saboteur: Any) -> None:
    books = month_ends(follow=saboteur)

    assert findings(clean_database, books, until=END) != []


def test_the_same_course_without_the_saboteur_is_right(clean_database: Database) -> None:
    books = month_ends()

    assert findings(clean_database, books, until=END) == []
    assert len(clean_database.execute("SELECT 1 FROM contract_invoices")) == 24


def test_a_look_up_instead_of_the_unique_key_is_caught(clean_database: Database) -> None:
    chance = random.Random(5)
    plans, begun = lives.make(6, chance)
    books = [lives.begin(moment, facts, plans=plans, chance=chance) for moment, facts in begun]
    clean_database.execute("ALTER TABLE contract_invoices DROP INDEX uq_contract_invoices_billing_key")
    try:
        with fleet(4) as billers:
            billers.look(END)
        wrong = findings(clean_database, books, until=END)
    finally:
        clean_database.empty()
        clean_database.execute(
            "ALTER TABLE contract_invoices ADD UNIQUE KEY uq_contract_invoices_billing_key (billing_key)"
        )

    assert any("was billed" in finding for finding in wrong)
