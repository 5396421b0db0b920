"""Containers in one process: each keeps the secrets that it has read, and its connection, for as long as it likes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keywright.platform import db, secrets

COUNT = 4


class Containers:
    """Whoever calls a function enters one of them; what the function keeps there is there the next time."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._kept: list[dict[str, Any]] = [{} for _ in range(COUNT)]
        self._connections: list[Any] = [None] * COUNT

    @contextmanager
    def any(self) -> Iterator[int]:
        """Enter one by chance."""
        number = self._chance.randrange(COUNT)
        secrets._kept.clear()
        secrets._kept.update(self._kept[number])
        db._held.connection = self._connections[number]
        try:
            yield number
        finally:
            self._kept[number] = dict(secrets._kept)
            self._connections[number] = db._held.connection

    def age(self, number: int) -> None:
        """Let a minute pass in a container."""
        self._kept[number] = {name: (at - secrets.KEEP_S, value) for name, (at, value) in self._kept[number].items()}

    def idle(self, number: int) -> None:
        """Let a container lose its connection, as one does that nobody called for long."""
        if self._connections[number] is not None:
            self._connections[number].close()
        self._connections[number] = None

    def replace(self, number: int) -> None:
        """Put a new container in the place of one: it has read nothing, and is connected to nothing."""
        self.idle(number)
        self._kept[number] = {}

    def close(self) -> None:
        """End them all."""
        for number in range(COUNT):
            self.replace(number)
        secrets.forget()
        db.discard()
