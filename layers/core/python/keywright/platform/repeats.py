"""
What the HTTP edge has to know to let a POST be repeated, and who has to tell it. Types only.

The edge knows no callers, and whoever knows the callers knows no HTTP: this is what they agree on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from keywright.platform.db import Transaction
from keywright.platform.seals import Seals

Transact = Callable[[Callable[[Transaction], Any]], Any]


@dataclass(frozen=True)
class Asker:
    """In whose name a key is kept, and under which seals the answer is. Another name is another key."""

    name: str
    seals: Seals


class Repeats(Protocol):
    """Knows which POSTs may be repeated, and by whom."""

    @property
    def transact(self) -> Transact:
        """Open the transactions in which answers are kept."""

    def asker(self, route: str, *, bearer: str, address: str) -> Asker | None:
        """Return who asks; None where a key means nothing. Raise if the route may not be called at all."""
