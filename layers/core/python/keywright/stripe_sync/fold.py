"""
From the set of observations of one object to its state, whatever order and how often they came. Pure.

- A tombstone absorbs, then the highest rank (an ended subscription, a paid invoice), then the newest second.
- Inside a second the chain of ``previous_attributes`` decides; across seconds it is checked: where an update does not
  fit the state before it, an event is missing or a clock was wrong.
- What we fetched ourselves beats every event from before the request: those created in earlier seconds, and those that
  were in the inbox when we asked, whatever their time says.
- What then has more than one reading is ambiguous. The state named for it is a guess, the same for every order, and
  the object is to be fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Generic, TypeVar

from keywright.stripe_sync.chain import Second, Step, follow

State = TypeVar("State", bound=Hashable)

TIE = "several states within one second"
GAP = "an event is missing, or its time is wrong"


@dataclass(frozen=True)
class Observed(Generic[State]):
    """
    One observation of an object. ``before`` is what an update replaced; None where the event does not say.

    ``after`` are the events that were in the inbox when we asked for a ``fetched`` object.
    """

    event_id: str
    event_type: str
    moment: datetime
    state: State
    before: State | None = None
    fetched: bool = False
    after: frozenset[str] = frozenset()
    deleted: bool = False

    @property
    def second(self) -> datetime:
        """Return the whole second of the observation."""
        return self.moment.replace(microsecond=0)

    @property
    def is_birth(self) -> bool:
        """Tell whether this is the first thing that ever happened to the object."""
        return self.event_type.endswith(".created")


@dataclass(frozen=True)
class Kind(Generic[State]):
    """
    How objects of one type are folded.

    ``rank`` is the lattice: higher absorbs lower. ``progress`` orders states of one rank and second that only ever
    move one way. ``chained`` objects announce each change with what it replaced. ``guess`` orders what stays ambiguous.
    """

    object_type: str
    read: Callable[[Any], State]
    rank: Callable[[State], int] = lambda _state: 0
    progress: Callable[[State], tuple[int, ...]] | None = None
    chained: bool = False
    guess: Callable[[State], int] = lambda _state: 0


@dataclass(frozen=True)
class Folded(Generic[State]):
    """What a set of observations says: the state, who decided it, and the reason to doubt it, if there is one."""

    state: State
    decided_by: Observed[State]
    deleted: bool
    ambiguous: str | None


def fold(observations: Iterable[Observed[State]], kind: Kind[State]) -> Folded[State]:
    """Return the state that a set of at least one observation says."""
    every = list({observed.event_id: observed for observed in observations}.values())
    if buried := [observed for observed in every if observed.deleted]:
        return Folded(max(every, key=_place).state, max(buried, key=_place), deleted=True, ambiguous=None)
    highest = max(kind.rank(observed.state) for observed in every)
    counted = [observed for observed in every if kind.rank(observed.state) == highest]
    return _Reading(kind).read(counted)


class _Reading(Generic[State]):
    """One walk through the seconds; remembers whether the chain broke on the way."""

    def __init__(self, kind: Kind[State]) -> None:
        self._kind = kind
        self._broken = False
        self._ends: frozenset[State] = frozenset()
        self._last: Sequence[Observed[State]] = ()

    def read(self, counted: Sequence[Observed[State]]) -> Folded[State]:
        births = [observed for observed in counted if observed.is_birth]
        fetched = [observed for observed in counted if observed.fetched]
        events = [observed for observed in counted if not observed.fetched and not observed.is_birth]
        if births:
            self._walk(births)
        if fetched:
            events = self._start_at(max(fetched, key=_place), events)
        for _, second in groupby(sorted(events, key=_place), key=lambda observed: observed.second):
            self._walk(list(second))
        return self._result()

    def _start_at(self, fetch: Observed[State], events: list[Observed[State]]) -> list[Observed[State]]:
        """Begin with what was fetched and what happened in the very second of the request; return what came later."""
        known = [event for event in events if event.second < fetch.second or event.event_id in fetch.after]
        open_ = [event for event in events if event not in known]
        same = [event for event in open_ if event.second <= fetch.second]
        if same:
            for _, second in groupby(sorted(known, key=_place), key=lambda observed: observed.second):
                self._walk(list(second))
            before = self._ends
            self._broken = False
            self._walk([*same, fetch])
            if self._broken or len(self._ends) > 1:
                # Nothing told what was before: then what was fetched is where the second's changes begin.
                self._ends, self._broken = frozenset({fetch.state}), False
                self._walk([*same, fetch])
                self._broken = self._broken and bool(before)
        else:
            self._ends, self._last, self._broken = frozenset({fetch.state}), [fetch], False
        return [event for event in open_ if event not in same]

    def _walk(self, second: Sequence[Observed[State]]) -> None:
        chained = self._kind.chained
        steps = [
            Step(observed.event_type, observed.before, observed.state)
            for observed in second
            if chained and observed.before is not None and observed.before != observed.state
        ]
        starts = {(step.start, step.end) for step in steps}
        seen = frozenset(observed.state for observed in second if (observed.before, observed.state) not in starts)
        outcome = follow(Second(steps, seen), self._ends)
        self._broken = self._broken or (chained and outcome.broken)
        self._ends, self._last = self._decided(outcome.ends, second), second

    def _decided(self, ends: frozenset[State], second: Sequence[Observed[State]]) -> frozenset[State]:
        """Let what can only move one way choose between the ends."""
        progress = self._kind.progress
        if progress is None or len(ends) == 1:
            return ends
        furthest = max(progress(state) for state in ends)
        left = frozenset(state for state in ends if progress(state) == furthest)
        return left if len(left) == 1 else self._chosen_by_chain(left, second)

    def _chosen_by_chain(self, ends: frozenset[State], second: Sequence[Observed[State]]) -> frozenset[State]:
        """Drop what another observation of the second says that it replaced."""
        replaced = {observed.before for observed in second if observed.before != observed.state}
        return frozenset(state for state in ends if state not in replaced) or ends

    def _result(self) -> Folded[State]:
        ends = self._ends
        state = next(iter(ends)) if len(ends) == 1 else max(ends, key=lambda end: (self._kind.guess(end), repr(end)))
        telling = [observed for observed in self._last if observed.state == state] or self._last
        reason = TIE if len(ends) > 1 else GAP if self._broken else None
        return Folded(state, max(telling, key=_place), deleted=False, ambiguous=reason)


def _place(observed: Observed[Any]) -> tuple[datetime, str]:
    return observed.moment, observed.event_id
