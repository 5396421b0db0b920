"""
The order of changes inside one second, from what each says it replaced.

Stripe's times have whole seconds, so that several events share one. An update names what was there before it
(``previous_attributes``); put together with what it left, it is a step from one state to another, and the steps of a
second are a path. Where a path ends is told by counting: its last state is entered once more than it is left. If the
path comes back to its beginning, the state before the second says where that is. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Generic, TypeVar

State = TypeVar("State", bound=Hashable)

_MOST_READINGS = 64


@dataclass(frozen=True)
class Step(Generic[State]):
    """One change: the kind of event that told of it, and the states around it."""

    kind: str
    start: State
    end: State


@dataclass(frozen=True)
class Second(Generic[State]):
    """What happened within a second: changes, and states that were seen without being told what was before."""

    steps: Sequence[Step[State]]
    seen: frozenset[State]


@dataclass(frozen=True)
class Outcome(Generic[State]):
    """The states in which the second may have ended; ``broken`` if its beginning does not fit what came before."""

    ends: frozenset[State]
    broken: bool


def follow(second: Second[State], priors: frozenset[State]) -> Outcome[State]:
    """
    Return where the second ended, given the states in which the time before may have ended; none is unknown.

    More than one end means that the second can be read in more than one way.
    """
    if not second.steps:
        # What was seen without a step to it was there before, if everything that happened was told.
        return Outcome(second.seen, broken=bool(priors) and not second.seen <= priors)
    readings = [reading for count in _readings(second.steps) for reading in _paths(count, second.seen, priors)]
    fitting = [end for start, end in readings if not priors or start in priors]
    if fitting:
        return Outcome(frozenset(fitting), broken=False)
    if readings:
        return Outcome(frozenset(end for _, end in readings), broken=True)
    return Outcome(frozenset(step.end for step in second.steps) | second.seen, broken=bool(priors))


def _readings(steps: Sequence[Step[State]]) -> Iterator[Counter[Step[State]]]:
    """
    Yield how often each change may have happened.

    Stripe sometimes makes two events of one change, and sometimes the same change happens twice.
    """
    counted = Counter(steps)
    distinct = sorted(counted, key=repr)
    choices = [range(1, counted[step] + 1) for step in distinct]
    size = 1
    for choice in choices:
        size *= len(choice)
    if size > _MOST_READINGS:
        return
    for counts in product(*choices):
        yield Counter(dict(zip(distinct, counts, strict=True)))


def _paths(
    steps: Counter[Step[State]], seen: frozenset[State], priors: frozenset[State]
) -> Iterator[tuple[State, State]]:
    """Yield the beginnings and ends of paths that take every step once and pass by everything seen."""
    balance: Counter[State] = Counter()
    for step, count in steps.items():
        balance[step.end] += count
        balance[step.start] -= count
    nodes = frozenset(balance)
    uneven = {state: value for state, value in balance.items() if value}
    if not _is_connected(steps, nodes) or not seen <= nodes | priors:
        return
    if not uneven:
        # A round trip: it ends where it began, which is where the time before it ended.
        for state in (nodes & priors) or nodes:
            yield state, state
    elif sorted(uneven.values()) == [-1, 1]:
        (start,) = (state for state, value in uneven.items() if value < 0)
        (end,) = (state for state, value in uneven.items() if value > 0)
        yield start, end


def _is_connected(steps: Counter[Step[State]], nodes: frozenset[State]) -> bool:
    neighbors: dict[State, set[State]] = {state: set() for state in nodes}
    for step in steps:
        neighbors[step.start].add(step.end)
        neighbors[step.end].add(step.start)
    reached: set[State] = set()
    waiting = [next(iter(nodes))]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += neighbors[state]
    return reached == nodes
