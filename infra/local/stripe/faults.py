"""What the control API has asked to go wrong. Decisions only: nothing is sent or answered here."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

MOMENTS = ("before", "after", "lost")
_MAX_COPIES = 20


@dataclass
class DeliveryFaults:
    """How webhook deliveries are disturbed: held back, repeated, or lost."""

    holding: bool = False
    copies: int = 1
    to_drop: int = 0
    held: list[tuple[str, str]] = field(default_factory=list)

    def admit(self, event_id: str, endpoint_id: str) -> int:
        """Return how many copies are to be sent now: 0 when this delivery is lost or held back."""
        if self.to_drop:
            self.to_drop -= 1
            return 0
        if self.holding:
            self.held.append((event_id, endpoint_id))
            return 0
        return self.copies

    def repeat(self, times: int) -> None:
        """Send each new delivery this many times."""
        if not 1 <= times <= _MAX_COPIES:
            message = f"times must be between 1 and {_MAX_COPIES}"
            raise ValueError(message)
        self.copies = times

    def release(self, *, shuffle_seed: int | None = None) -> list[tuple[str, str]]:
        """Stop holding and hand over what was held, in order or shuffled by a seed that makes it repeatable."""
        self.holding = False
        held, self.held = self.held, []
        if shuffle_seed is not None:
            random.Random(shuffle_seed).shuffle(held)  # noqa: S311  an order of deliveries, not a secret
        return held


@dataclass
class AnswerFaults:
    """
    How many of the next API calls are answered with a failure.

    ``moment`` says what happened before it: ``before`` nothing, ``after`` the call took effect and the failure is
    its lasting answer, ``lost`` the call took effect and only this answer of it is lost.
    """

    status: int = 500
    times: int = 0
    moment: str = "before"

    def take(self) -> AnswerFaults | None:
        """Use up one failure, if any is left."""
        if not self.times:
            return None
        self.times -= 1
        return AnswerFaults(self.status, 1, self.moment)
