"""
From the set of observations of one object to its state, whatever order and how often they came. Pure.

- A tombstone absorbs, unless it was an answer of Stripe's that a later one refutes; then the highest rank (an ended
  subscription, a paid invoice), then the newest second.
- Inside a second the chain of ``previous_attributes`` decides; across seconds it is checked: where an update does not
  fit the state before it, an event is missing or a clock was wrong.
- What we fetched ourselves beats every event from before the request: those that are some seconds older, and those that
  were in the inbox when we asked, whatever their time says. For those of about the same time the chain decides.
- What then has more than one reading is ambiguous. The state named for it is a guess, the same for every order, and
  the object is to be fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Generic, TypeVar

from keywright.stripe_sync.chain import Second, Step, follow

State = TypeVar("State", bound=Hashable)

_SKEW = timedelta(seconds=5)
"""How far our clock and Stripe's may be apart."""

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

    ``rank`` is the lattice: higher absorbs lower. ``progress`` orders states of one rank that hardly ever move the
    other way: it decides inside a second, and where the end says less than was said before, a clock may be wrong.
    ``chained`` objects announce each change with what it replaced. ``guess`` orders what stays ambiguous.
    ``completed`` adds to observations what others of the same object know, where Stripe leaves something out.
    """

    object_type: str
    read: Callable[[Any], State]
    rank: Callable[[State], tuple[int, ...]] = lambda _state: ()
    progress: Callable[[State], tuple[int, ...]] | None = None
    chained: bool = False
    guess: Callable[[State], int] = lambda _state: 0
    completed: Callable[[Sequence[Observed[State]]], Sequence[Observed[State]]] = lambda observations: observations


@dataclass(frozen=True)
class Folded(Generic[State]):
    """What a set of observations says: the state, who decided it, and the reason to doubt it, if there is one."""

    state: State
    decided_by: Observed[State]
    deleted: bool
    ambiguous: str | None


def fold(observations: Iterable[Observed[State]], kind: Kind[State]) -> Folded[State]:
    """Return the state that a set of at least one observation says."""
    every = _believed({observed.event_id: observed for observed in observations}.values())
    if buried := [observed for observed in every if observed.deleted]:
        return Folded(max(every, key=_place).state, max(buried, key=_place), deleted=True, ambiguous=None)
    highest = max(kind.rank(observed.state) for observed in every)
    counted = [observed for observed in every if kind.rank(observed.state) == highest]
    return _Reading(kind).read(counted)


def _believed(every: Collection[Observed[State]]) -> list[Observed[State]]:
    """
    Leave out that Stripe did not find an object which it showed later: then we had asked with a key of elsewhere.

    Nothing comes back that was deleted, so what an event told of an end is believed for ever.
    """
    shown = max((observed.moment for observed in every if observed.fetched and not observed.deleted), default=None)
    return [
        observed
        for observed in every
        if not (observed.fetched and observed.deleted and shown is not None and shown > observed.moment)
    ]


class _Reading(Generic[State]):
    """One walk through the seconds; remembers whether the chain broke on the way."""

    def __init__(self, kind: Kind[State]) -> None:
        self._kind = kind
        self._broken = False
        self._ends: frozenset[State] = frozenset()
        self._doubled: list[tuple[datetime, State]] = []
        self._last: Sequence[Observed[State]] = ()
        self._furthest: tuple[int, ...] = ()

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
        """Begin with what was fetched and what happened around the request; return what came later."""
        known = [event for event in events if event.second < fetch.second - _SKEW or event.event_id in fetch.after]
        taken = {event.event_id for event in known}
        open_ = [event for event in events if event.event_id not in taken]
        same = [event for event in open_ if event.second <= fetch.second + _SKEW]
        if same:
            for _, second in groupby(sorted(known, key=_place), key=lambda observed: observed.second):
                self._walk(list(second))
            self._join(same, fetch)
        else:
            self._ends, self._last, self._broken = frozenset({fetch.state}), [fetch], False
            self._furthest = self._progress()
        return [event for event in open_ if event.second > fetch.second + _SKEW]

    def _join(self, same: Sequence[Observed[State]], fetch: Observed[State]) -> None:
        """Find the end of what happened around the request, some of which the answer shows already."""
        was_broken, self._broken, self._furthest = self._broken, False, ()
        self._walk([*same, fetch])
        if self._broken:
            # What was before does not fit, which may be why it was fetched: then it tells nothing.
            self._ends, self._broken, was_broken = frozenset(), False, True
            self._walk([*same, fetch])
        if was_broken and self._ends != {fetch.state}:
            self._broken = True

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
        self._broken = self._broken or (chained and outcome.broken) or self._may_repeat(steps, second[0].second)
        self._ends, self._last = self._decided(outcome.ends, second), second
        self._furthest = max(self._furthest, self._progress())

    def _may_repeat(self, steps: Sequence[Step[State]], second: datetime) -> bool:
        """
        Tell whether a change that was told twice may have happened twice, around a change back close by.

        If Stripe made two events of it all is well; if a clock was a little wrong it is not. Nobody can tell.
        """
        doubled = {step.start for step in steps if steps.count(step) > 1}
        turned = any(start == step.end and second - at <= _SKEW for at, start in self._doubled for step in steps)
        self._doubled += [(second, start) for start in doubled]
        return turned

    def _progress(self) -> tuple[int, ...]:
        return () if self._kind.progress is None else max(self._kind.progress(state) for state in self._ends)

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
        # More was given back before, and now it was not? A bank may return a refund; mostly a clock was wrong.
        recedes = self._progress() < self._furthest
        reason = TIE if len(ends) > 1 else GAP if self._broken or recedes else None
        return Folded(state, max(telling, key=_place), deleted=False, ambiguous=reason)


def _place(observed: Observed[Any]) -> tuple[datetime, str]:
    return observed.moment, observed.event_id
