"""Keeps calls to somebody else apart, so that no second holds more of them than allowed, however they are batched."""

from __future__ import annotations

import time
from collections.abc import Callable

_SECOND_NS = 1_000_000_000


class Pace:
    """
    Has callers wait for their turn. One that comes late takes its turn at once and saves up none.

    ``read`` says how many nanoseconds have passed, ``pause`` lets a number of seconds pass.
    """

    def __init__(
        self,
        *,
        per_s: int,
        read: Callable[[], int] = time.monotonic_ns,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._apart_ns = -(-_SECOND_NS // per_s)
        self._read, self._pause = read, pause
        self._next_at: int | None = None

    def wait(self) -> None:
        """Return when it is the caller's turn."""
        now = self._read()
        while self._next_at is not None and now < self._next_at:
            self._pause((self._next_at - now) / _SECOND_NS)
            now = self._read()
        self._next_at = now + self._apart_ns
