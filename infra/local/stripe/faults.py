"""What the control API has asked to go wrong with answers. Decisions only: nothing is answered here."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

MOMENTS = ("before", "after", "lost")
KINDS = ("status", "slow", "timeout", "reset")


@dataclass(frozen=True)
class AnswerFault:
    """
    One way for an API call to fail.

    ``moment`` says what happened before it: ``before`` nothing, ``after`` the call took effect and the failure is
    its lasting answer, ``lost`` the call took effect and only this answer of it is lost. ``kind`` says what the
    caller sees: a status, a right answer that is ``slow``, silence until it gives up (``timeout``), or a connection
    that breaks (``reset``).
    """

    kind: str = "status"
    status: int = 500
    moment: str = "before"
    hold_s: float = 0.0


@dataclass
class FaultRule:
    """Which calls a fault strikes: those of a route, after the first ``skip``, ``times`` times or at a rate."""

    fault: AnswerFault
    times: int = 1
    skip: int = 0
    percent: int = 100
    method: str | None = None
    path: str = "/"
    seed: int = 0
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Seed the dice, so that a run can be repeated."""
        self._chance = random.Random(self.seed)  # noqa: S311  chance for tests, not a secret

    def strikes(self, method: str, path: str) -> bool:
        """Use up one call; tell whether it is to fail."""
        if not self.times or self.method not in (None, method) or not path.startswith(self.path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self._chance.randrange(100) >= self.percent:
            return False
        self.times -= 1
        return True


class AnswerFaults:
    """The rules in force; the first one that strikes decides."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []

    def take(self, method: str, path: str) -> AnswerFault | None:
        """Return what is to go wrong with this call."""
        struck = next((rule for rule in self.rules if rule.strikes(method, path)), None)
        self.rules = [rule for rule in self.rules if rule.times]
        return None if struck is None else struck.fault


class RateLimit:
    """Refuse calls beyond a number per second of the clock; no limit unless one is set."""

    def __init__(self) -> None:
        self.per_second: int | None = None
        self._second = 0
        self._calls = 0

    def exceeded(self, now: int) -> bool:
        """Count one call."""
        if now != self._second:
            self._second, self._calls = now, 0
        self._calls += 1
        return self.per_second is not None and self._calls > self.per_second
