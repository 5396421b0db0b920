"""The sink is called so many times in a second and no more, whatever the batches are; on a clock of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from functions.job_worker import metering as jobs
from functions.job_worker.pacing import Pace
from keywright.metering.models import Answer, Revision
from tests.integration.metering.sealed import Sink, revisions, seal
from tests.metered import BEGAN, add_metered, usage

SECOND_NS = 1_000_000_000
FIRST = (BEGAN + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
REVISIONS = 80


@dataclass
class Watch:
    """A clock that stands still unless somebody waits or works."""

    now_ns: int = 0

    def read(self) -> int:
        return self.now_ns

    def pause(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND_NS)


@dataclass
class Timed(Sink):
    """A sink that notes when it is called, and takes its time to answer."""

    watch: Watch = field(default_factory=Watch)
    takes_ns: int = 0
    called_at: list[int] = field(default_factory=list)

    def push(self, revision: Revision) -> Answer:
        """Note the moment, and answer a while later."""
        self.called_at.append(self.watch.now_ns)
        self.watch.now_ns += self.takes_ns
        return super().push(revision)


class Forgetful(Pace):
    """The bug: every batch begins its turns anew, and so the first of one comes right after the last of another."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(per_s=jobs.PUSHES_PER_S, read=watch.read, pause=watch.pause)
        self._turns = 0

    def wait(self) -> None:
        """Forget the turn before at the begin of each batch."""
        if self._turns % jobs.PUSHED_AT_ONCE == 0:
            self._next_at = None
        self._turns += 1
        super().wait()


def paced(watch: Watch) -> Pace:
    return Pace(per_s=jobs.PUSHES_PER_S, read=watch.read, pause=watch.pause)


def busiest_second(called_at: list[int]) -> int:
    """Return how many calls the busiest second held, wherever it begins."""
    return max(sum(start <= at < start + SECOND_NS for at in called_at) for start in called_at)


def pushed(watch: Watch, pace: Pace, *, takes_ns: int = 0) -> Timed:
    """Have a job tell more than fits into a second, in several batches."""
    license_ = add_metered()
    license_.report(*(usage(f"e{n}", at=FIRST + n * timedelta(hours=1)) for n in range(REVISIONS)), now=_end())
    seal(_end())
    sink = Timed(watch=watch, takes_ns=takes_ns)
    assert jobs.push(sink=sink, now=_end(), pace=pace) is None
    return sink


def test_no_second_holds_more_calls_than_are_allowed(clean_database: object) -> None:
    watch = Watch()

    sink = pushed(watch, paced(watch))

    assert {row["state"] for row in revisions()} == {"PUSHED"}
    assert (len(sink.called_at), busiest_second(sink.called_at)) == (REVISIONS, jobs.PUSHES_PER_S)
    assert sink.called_at[-1] == (REVISIONS - 1) * SECOND_NS // jobs.PUSHES_PER_S


def test_a_sink_that_is_slow_by_itself_is_not_waited_for(clean_database: object) -> None:
    watch = Watch()

    sink = pushed(watch, paced(watch), takes_ns=SECOND_NS // 10)

    assert watch.now_ns == REVISIONS * SECOND_NS // 10
    assert busiest_second(sink.called_at) == 10


def test_a_pace_that_begins_anew_with_each_batch_is_caught(clean_database: object) -> None:
    watch = Watch()

    sink = pushed(watch, Forgetful(watch))

    assert busiest_second(sink.called_at) > jobs.PUSHES_PER_S


@pytest.mark.parametrize("per_s", [1, 3, 7, 50, 1000])
def test_time_that_was_not_used_is_not_saved_up(per_s: int) -> None:
    watch = Watch()
    pace = Pace(per_s=per_s, read=watch.read, pause=watch.pause)
    called_at = []

    for turn in range(4 * per_s):
        watch.now_ns += 3 * SECOND_NS if turn == per_s else 0
        pace.wait()
        called_at.append(watch.now_ns)

    assert busiest_second(called_at) == per_s


def _end() -> datetime:
    return FIRST + timedelta(hours=REVISIONS + 2)
