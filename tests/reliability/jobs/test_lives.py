"""Ten thousand lives of jobs in virtual time: every pause inside its envelope, no herd, and an end to each."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest

from keywright.jobs import rules
from keywright.jobs.kinds import Backoff
from keywright.jobs.models import Dead, Job
from keywright.platform.clock import from_unix

NOW = from_unix(1_790_000_000)
SECOND = timedelta(seconds=1)
LIVES, ATTEMPTS, FAILS = 10_000, 12, 0.7
BACKOFF = Backoff()


def live(chance: random.Random, decide) -> tuple[list[timedelta], bool]:
    """Let a job fail with a probability of 70 %; return its pauses, and whether it died."""
    pauses: list[timedelta] = []
    now = NOW
    for attempt in range(1, ATTEMPTS + 1):
        if chance.random() >= FAILS:
            return pauses, False
        decision = decide(Job("job_1", "any", {}, attempt, ATTEMPTS, attempt, None), now, chance.random())
        if isinstance(decision, Dead):
            return pauses, True
        pauses.append(decision.due_at - now)
        now = decision.due_at
    return pauses, False


def sound(job, now, jitter):
    return rules.after_failure(job, now=now, jitter=jitter, backoff=BACKOFF)


def breaches(decide) -> set[str]:
    """Return which promises ten thousand lives under this decision break."""
    chance, found = random.Random(11), set()
    first_pauses: Counter[int] = Counter()
    for _ in range(LIVES):
        pauses, died = live(chance, decide)
        for attempt, pause in enumerate(pauses, start=1):
            if not SECOND <= pause <= min(BACKOFF.cap, BACKOFF.base * 2**attempt):
                found.add("outside the envelope")
        if died and len(pauses) != ATTEMPTS - 1:
            found.add("died before its time")
        if not died and len(pauses) >= ATTEMPTS:
            found.add("lives for ever")
        if len(pauses) >= 8:
            # The eighth pause may take up to 512 s: how many of the jobs wake within one per cent of that.
            first_pauses[int(pauses[7] / (BACKOFF.base * 2**8) * 100)] += 1
    if first_pauses and max(first_pauses.values()) > 0.05 * first_pauses.total():
        found.add("a herd")
    return found


def test_ten_thousand_lives_stay_inside_the_envelope():
    assert breaches(sound) == set()


@pytest.mark.parametrize(
    ("bug", "sign"),
    [
        (lambda job, now, _jitter: rules.after_failure(job, now=now, jitter=0.5, backoff=BACKOFF), "a herd"),
        (
            lambda job, now, jitter: rules.after_failure(
                job, now=now, jitter=jitter, backoff=Backoff(cap=timedelta(days=9), base=timedelta(minutes=1))
            ),
            "outside the envelope",
        ),
        (
            lambda job, now, jitter: rules.after_failure(
                job, now=now, jitter=jitter, backoff=BACKOFF, permanent=job.attempts > 3
            ),
            "died before its time",
        ),
    ],
)
def test_the_lives_show_a_backoff_without_jitter_without_cap_or_without_patience(bug, sign):
    assert sign in breaches(bug)
