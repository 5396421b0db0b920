"""From stored events to observations of one object. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Generic, TypeVar

from keywright.stripe_sync.fold import Folded, Kind, Observed, fold
from keywright.stripe_sync.models import StripeEvent
from keywright.stripe_sync.normalize import before, normalize
from keywright.stripe_sync.rules import OBSERVATION

State = TypeVar("State", bound=Hashable)

# What reading an object of an unexpected shape raises.
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True)
class History(Generic[State]):
    """All observations of an object in the order of their times, and what they say together."""

    kind: Kind[State]
    object_id: str
    observations: tuple[Observed[State], ...]
    folded: Folded[State]

    def states(self) -> Iterator[tuple[datetime, State]]:
        """
        Yield what was said of the object, with the second in which it was said.

        What is yielded last of a second is what was to be said after it; of what lay in between only that it was.
        """
        seen: list[Observed[State]] = []
        for second, group in groupby(self.observations, key=lambda observed: observed.second):
            news = list(group)
            seen += news
            between = [each for observed in news for each in (observed.before, observed.state) if each is not None]
            for state in (*between, fold(seen, self.kind).state):
                yield second, state

    def since(self, holds: Callable[[State], bool]) -> datetime:
        """Return since when something has held that holds now: the beginning of the last unbroken run."""
        beginning = self.folded.decided_by.moment
        newest_first = sorted(self.observations, key=lambda observed: observed.moment, reverse=True)
        for second, group in groupby(newest_first, key=lambda observed: observed.second):
            held = [observed for observed in group if holds(observed.state)]
            if not held and second <= beginning:
                break
            if held:
                beginning = min(beginning, *(observed.moment for observed in held))
            if any(observed.second == second and not holds(observed.state) for observed in self.observations):
                break
        return beginning


def says_only_gone(event: StripeEvent) -> bool:
    """Tell whether an event says nothing but that its object is no more: what Stripe answers for one that is gone."""
    return bool(event.subject.get("deleted")) and "created" not in event.subject


def observe(event: StripeEvent, kind: Kind[State]) -> Observed[State]:
    """Return what an event says of its object."""
    deleted = bool(event.subject.get("deleted")) or (
        event.event_type.endswith(".deleted") and event.subject.get("object") != "subscription"
    )
    return Observed(
        event_id=event.event_id,
        event_type=event.event_type,
        moment=event.moment,
        state=kind.read(normalize(event.subject)),
        before=_before(event, kind),
        fetched=event.event_type == OBSERVATION,
        after=event.after,
        deleted=deleted,
    )


def history_of(events: Iterable[StripeEvent], kind: Kind[State], *, object_id: str) -> History[State] | None:
    """Return the history that the stored events of an object tell; None if none of them can be read."""
    observations, gone = [], []
    for event in events:
        if says_only_gone(event):
            gone.append(event)
        elif event.subject.get("object") == kind.object_type:
            try:
                observations.append(observe(event, kind))
            except _UNREADABLE:
                # It fails, visibly, when it is folded itself; it must not take the others with it.
                continue
    if not observations:
        return None
    newest = max(observations, key=lambda observed: (observed.moment, observed.event_id)).state
    observations += [
        Observed(event.event_id, event.event_type, event.moment, newest, fetched=True, deleted=True) for event in gone
    ]
    placed = tuple(sorted(kind.completed(observations), key=lambda observed: (observed.moment, observed.event_id)))
    return History(kind, object_id, placed, fold(placed, kind))


def _before(event: StripeEvent, kind: Kind[State]) -> State | None:
    if event.previous is None:
        return None
    try:
        return kind.read(normalize(before(event.subject, event.previous)))
    except _UNREADABLE:
        return None
