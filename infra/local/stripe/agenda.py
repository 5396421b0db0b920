"""What is due at a later time: expiries, trial ends, renewals, finalizations and payment retries."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from infra.local.stripe.clock import Clock


class Agenda:
    """
    Actions in the order of their time. They run when somebody looks, never on their own.

    An action sees the clock stand at its own time, so a clock that was moved by a year renews twelve times, each
    in its month. It checks for itself whether what it was planned for still holds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._order = itertools.count()

    def at(self, when: int, action: Callable[[], object]) -> None:
        """Run ``action`` once the clock has reached ``when``."""
        heapq.heappush(self._due, (when, next(self._order), action))

    def run_due(self) -> None:
        """Run all that the clock has reached, in order of time, and whatever that makes due on the way."""
        now = self._clock.now()
        while self._due and self._due[0][0] <= now:
            when, _, action = heapq.heappop(self._due)
            with self._clock.pinned(when):
                action()

    def next_due(self) -> int | None:
        """Return the time of the next action."""
        return self._due[0][0] if self._due else None
