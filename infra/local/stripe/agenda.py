"""What is due at a later time: today a session's expiry; renewals and payment retries belong here too."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from infra.local.stripe.clock import Clock


class Agenda:
    """Actions in the order of their time. They run when somebody looks, never on their own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._order = itertools.count()

    def at(self, when: int, action: Callable[[], object]) -> None:
        """Run ``action`` once the clock has reached ``when``."""
        heapq.heappush(self._due, (when, next(self._order), action))

    def run_due(self) -> None:
        """Run all that the clock has reached, in order of time."""
        while self._due and self._due[0][0] <= self._clock.now():
            heapq.heappop(self._due)[2]()
