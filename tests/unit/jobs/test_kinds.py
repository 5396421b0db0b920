"""The table of kinds agrees with who carries them out, who schedules them, and how long a worker may run."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from functions.job_worker.executors import JOBS
from infra.manifest import FUNCTIONS, SCHEDULES
from keywright.jobs import rules
from keywright.jobs.kinds import KINDS, RECURRING, Recurrence

ROOT = Path(__file__).resolve().parents[3]
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_every_kind_has_somebody_to_do_it_and_nobody_does_what_is_no_kind():
    assert set(JOBS) == set(KINDS)


def test_every_kind_that_is_enqueued_by_name_is_registered():
    named = set()
    for source in (ROOT / "layers/core/python/keywright").rglob("*.py"):
        named |= set(re.findall(r"enqueue\(\s*tx,\s*\"([^\"]+)\"", source.read_text()))

    assert named != set()
    assert named <= set(KINDS)


def test_the_longest_kind_fits_into_the_function_that_runs_it():
    worker = next(function for function in FUNCTIONS if function.name == "job_worker")

    assert max(kind.timeout_s for kind in KINDS.values()) + 3 < worker.timeout_s
    assert timedelta(seconds=worker.timeout_s) < rules.LEASE


def test_what_leaves_the_house_is_never_light():
    assert [kind.name for kind in KINDS.values() if kind.light] == []


def test_schedules_and_recurrences_agree():
    scheduled = {entry.payload["kind"]: entry.every_s for entry in SCHEDULES if entry.payload["do"] == "enqueue"}

    assert scheduled == {kind: every.every.total_seconds() for kind, every in RECURRING.items()}


def fire_for_a_year(recurrence: Recurrence, chance: random.Random) -> set[str]:
    """Fire a daily schedule 0, 1, 2 or 10 times a day, an hour or a day off at times; return the keys enqueued."""
    keys = set()
    for day in range(365):
        for _ in range(chance.choice((0, 1, 2, 10))):
            now = START + timedelta(days=day, seconds=chance.randrange(3600))
            keys |= {rules.period_key(start) for start in rules.periods(recurrence, now=now)}
    return keys


def test_a_year_of_double_and_missed_fires_gives_one_job_a_day_and_no_more():
    keys = fire_for_a_year(Recurrence(timedelta(days=1), catch_up=30), random.Random(3))

    days = {rules.period_key(START + timedelta(days=day)) for day in range(-30, 365)}
    assert keys <= days
    assert len(days - keys) <= 3


def test_without_making_good_a_missed_period_stays_missed():
    keys = fire_for_a_year(Recurrence(timedelta(days=1)), random.Random(3))

    assert 200 < len(keys) < 300


def test_making_good_is_bounded():
    periods = rules.periods(Recurrence(timedelta(hours=1), catch_up=5), now=START + timedelta(days=400))

    assert len(periods) == 6
    assert periods[-1] == START + timedelta(days=400)
