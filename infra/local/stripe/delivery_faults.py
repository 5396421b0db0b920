"""What the control API has asked to go wrong with deliveries. Decisions only: nothing is sent here."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

MAX_COPIES = 20


@dataclass
class DeliveryFaults:
    """How webhook deliveries are disturbed: held back, delayed, repeated, or lost."""

    holding: bool = False
    copies: int = 1
    to_drop: int = 0
    to_twin: int = 0
    delay_s: int = 0
    jitter_s: int = 0
    seed: int = 0
    held: list[tuple[str, str]] = field(default_factory=list)
    _chance: random.Random = field(default_factory=random.Random)

    def admit(self, event_id: str, endpoint_id: str) -> int:
        """Return how many copies are to be sent: 0 when this delivery is lost or held back."""
        if self.to_drop:
            self.to_drop -= 1
            return 0
        if self.holding:
            self.held.append((event_id, endpoint_id))
            return 0
        return self.copies

    def take_twin(self) -> bool:
        """Tell whether the next event is to be recorded twice, as two events with ids of their own."""
        if not self.to_twin:
            return False
        self.to_twin -= 1
        return True

    def delay(self) -> int:
        """Return how long the next delivery waits; jitter lets later events overtake earlier ones."""
        return self.delay_s + (self._chance.randint(0, self.jitter_s) if self.jitter_s else 0)

    def wait(self, delay_s: int, jitter_s: int, seed: int) -> None:
        """Delay each new delivery by ``delay_s`` and up to ``jitter_s`` more, repeatably by the seed."""
        self.delay_s, self.jitter_s, self.seed = delay_s, jitter_s, seed
        self._chance = random.Random(seed)  # noqa: S311  an order of deliveries, not a secret

    def release(self, *, shuffle_seed: int | None = None) -> list[tuple[str, str]]:
        """Stop holding and hand over what was held, in order or shuffled by a seed that makes it repeatable."""
        self.holding = False
        held, self.held = self.held, []
        if shuffle_seed is not None:
            random.Random(shuffle_seed).shuffle(held)  # noqa: S311  an order of deliveries, not a secret
        return held

    def calm(self) -> None:
        """Stop disturbing."""
        self.copies, self.to_drop, self.to_twin = 1, 0, 0
        self.delay_s, self.jitter_s = 0, 0

    def report(self) -> dict[str, Any]:
        """Show the faults in force."""
        return {
            "holding": self.holding,
            "held": len(self.held),
            "copies": self.copies,
            "to_drop": self.to_drop,
            "to_twin": self.to_twin,
            "delay_s": self.delay_s,
            "jitter_s": self.jitter_s,
        }
