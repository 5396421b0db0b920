"""When a failed job is tried again, and when it is not."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.job_worker.handler import JOBS
from infra.manifest import FUNCTIONS, SCHEDULES
from keywright.jobs import rules
from keywright.jobs.models import Dead, Job, RetryAt
from keywright.platform.clock import from_unix

NOW = from_unix(1_790_000_000)
LONGEST = timedelta(hours=1)


def after(attempts: int, *, of: int, jitter: float):
    return rules.after_failure(Job("job_1", "mail", {}, attempts, of, 1, None), now=NOW, jitter=jitter)


@given(attempts=st.integers(1, 500), jitter=st.floats(0, 1, exclude_max=True))
def test_the_pause_stays_between_a_second_and_the_ceiling_of_the_attempt(attempts, jitter):
    decision = after(attempts, of=1000, jitter=jitter)

    assert isinstance(decision, RetryAt)
    ceiling = min(LONGEST, timedelta(seconds=2) * 2 ** min(attempts, 30))
    assert timedelta(seconds=1) <= decision.due_at - NOW <= ceiling


@given(attempts=st.integers(1, 30))
def test_the_ceiling_doubles_until_an_hour(attempts):
    first, second = (after(n, of=1000, jitter=0.999999) for n in (attempts, attempts + 1))

    assert isinstance(first, RetryAt)
    assert isinstance(second, RetryAt)
    pauses = (first.due_at - NOW) * 2, second.due_at - NOW
    assert pauses[1] == pauses[0] or pauses[1] > timedelta(minutes=59)


@given(attempts=st.integers(1, 50), limit=st.integers(1, 50), jitter=st.floats(0, 1, exclude_max=True))
def test_a_job_dies_when_its_attempts_are_used_up_and_not_before(attempts, limit, jitter):
    assert (after(attempts, of=limit, jitter=jitter) == Dead()) is (attempts >= limit)


def test_no_living_worker_outlives_its_lease():
    worker = next(function for function in FUNCTIONS if function.name == "job_worker")

    assert timedelta(seconds=worker.timeout_s) < rules.LEASE


def test_every_job_that_a_schedule_enqueues_has_somebody_to_do_it():
    kinds = [schedule.payload["kind"] for schedule in SCHEDULES if schedule.payload["do"] == "enqueue"]

    assert kinds != []
    assert set(kinds) <= JOBS.keys()
