"""Workers overrun their leases, are frozen and killed, and their clocks are wrong: the books must balance."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.conftest import Database
from tests.infra.local.hosting import is_running
from tests.reliability.jobs.books import violations
from tests.reliability.jobs.chaos import Plan, fleet, run
from tests.reliability.jobs.fleet import DISPATCHERS


@pytest.fixture
def ledger(clean_database: Database) -> Iterator[Database]:
    """A database whose books of the chaos, which are no part of the schema, are gone after the test."""
    yield clean_database
    for table in ("chaos_starts", "chaos_effects"):
        clean_database.execute(f"DROP TABLE IF EXISTS {table}")


def test_no_stale_owner_finishes_and_every_job_ends(ledger: Database):
    plan = Plan(jobs=300, workers=10, poison=2, kills=12, freezes=6, enqueue=5)

    books = run(plan, ledger.execute)

    assert violations(books) == []
    assert len(books.jobs) == 300
    assert books.states()["DEAD"] >= 2
    assert books.states()["COMPLETED"] >= 200


def test_a_job_that_kills_its_workers_takes_no_more_than_three(ledger: Database):
    books = run(Plan(jobs=20, workers=4, poison=2, faults=True), ledger.execute)

    died = [job for job in books.jobs.values() if "poison" in job["job_key"]]
    assert [(job["state"], job["worker_losses"], job["attempts"]) for job in died] == [("DEAD", 3, 3)] * 2


def test_no_worker_outlives_its_fleet(clean_database: Database):
    """One that did would fail the jobs of every later test, whose kinds it does not know."""
    plan = Plan(jobs=0, workers=3)
    deadline = time.monotonic() + 90
    with fleet(plan) as pids:
        while len(pids) < plan.workers + len(DISPATCHERS):
            assert time.monotonic() < deadline, pids
            time.sleep(0.02)
        leader = os.getsid(next(iter(pids.values())))
        os.kill(leader, signal.SIGKILL)
        while alive := [name for name, pid in pids.items() if is_running(pid)]:
            assert time.monotonic() < deadline, alive
            time.sleep(0.02)


def test_workers_share_the_work_evenly(ledger: Database):
    # Each job takes its time without a processor: what is shared is the queue, and not the machine.
    books = run(Plan(jobs=400, workers=8, batch=1, faults=False, pause_s=0.08), ledger.execute)

    assert books.states() == {"COMPLETED": 400}
    assert len({effect["worker"] for effect in books.effects}) == 8
    assert books.fairness() >= 0.5


@pytest.mark.parametrize(
    ("bug", "sign", "telltale"),
    [
        (
            "finish guarded by the state only",
            "stale completions",
            "SELECT 1 FROM chaos_effects WHERE lease_token <> row_token LIMIT 1",
        ),
        (
            "attempts counted at failure",
            "uncounted",
            "SELECT 1 FROM jobs JOIN chaos_starts USING (job_sid) WHERE state = 'COMPLETED' AND attempts = 0 LIMIT 1",
        ),
        (
            "hint trusted",
            "effects",
            "SELECT job_sid FROM chaos_effects GROUP BY job_sid HAVING COUNT(*) > 1 LIMIT 1",
        ),
    ],
)
def test_the_books_show_a_worker_that_is(ledger: Database, bug: str, sign: str, telltale: str):
    plan = Plan(jobs=300, workers=8, poison=1, bug=bug, telltale=telltale)

    found = violations(run(plan, ledger.execute))

    assert any(sign in violation for violation in found), found
