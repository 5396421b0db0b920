"""What the demo says: a line for each step with its time, a summary in words and one in JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from infra.local.demo.failure import DemoFailure, StepFailed

STEPS = 10
NAME_WIDTH = 22
DETAIL_WIDTH = 70


@dataclass
class Step:
    """One step that held."""

    number: int
    name: str
    product: str | None
    detail: str = ""
    seconds: float = 0.0


@dataclass
class Report:
    """The steps so far, and the licenses they led to."""

    say: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)
    licenses: list[dict[str, Any]] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, number: int, name: str, product: str | None = None) -> Iterator[Step]:
        """
        Time a step and say how it went; the step fills in its detail.

        :raises StepFailed: naming the step, if it did not hold
        """
        step = Step(number, name, product)
        started = time.monotonic()
        try:
            yield step
        except (DemoFailure, httpx.HTTPError, KeyError, ValueError) as error:
            cause = f"the answer lacks {error}" if isinstance(error, KeyError) else str(error) or type(error).__name__
            where = f" ({product})" if product else ""
            raise StepFailed(f"step {number}, {name}{where}: {cause}") from error
        step.seconds = round(time.monotonic() - started, 3)
        self.steps.append(step)
        self.say(f"  {number:2}/{STEPS} {name:<{NAME_WIDTH}} {step.detail:<{DETAIL_WIDTH}} {step.seconds:6.2f} s")

    def heading(self, text: str) -> None:
        """Announce a group of steps."""
        self.say(f"\n{text}")

    def summary(self, **facts: Any) -> dict[str, Any]:
        """
        Gather everything for ``summary.json``.
        """
        return {
            **facts,
            "seconds": round(time.monotonic() - self.started, 3),
            "licenses": self.licenses,
            "steps": [asdict(step) for step in self.steps],
        }
