"""The stand-in's time, in whole seconds as Stripe counts it. Nothing else in this package reads the system clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """The machine's time plus an offset, or a frozen moment that only :meth:`advance` moves."""

    def __init__(self, *, frozen_at: int | None = None, offset_s: int = 0) -> None:
        self._frozen_at = frozen_at
        self._offset_s = offset_s
        self._pinned_at: int | None = None

    def now(self) -> int:
        """Return the seconds since the epoch."""
        if self._pinned_at is not None:
            return self._pinned_at
        base = int(time.time()) if self._frozen_at is None else self._frozen_at
        return base + self._offset_s

    def advance(self, seconds: int) -> None:
        """Move forward; Stripe's clocks cannot be turned back, so neither can this one."""
        if seconds < 0:
            message = "a clock only moves forward"
            raise ValueError(message)
        self._offset_s += seconds

    @contextmanager
    def pinned(self, when: int) -> Iterator[None]:
        """Stand at ``when`` for the length of the block: what was due then happens then, however late it runs."""
        before, self._pinned_at = self._pinned_at, when
        try:
            yield
        finally:
            self._pinned_at = before
