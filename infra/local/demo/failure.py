"""How the demo fails: one step, by name, with its cause."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")

PATIENCE_S = 30.0
PAUSE_S = 0.02


class DemoFailure(Exception):
    """The main job did not hold."""


class NotAsPromised(DemoFailure):
    """An answer came, and is not what the main job needs."""


class NotInTime(DemoFailure):
    """Something that happens behind the scenes did not happen."""


class StepFailed(DemoFailure):
    """A step failed. Names the step and the cause."""


def require(condition: object, message: str) -> None:
    """
    :raises NotAsPromised: with the message, unless the condition holds
    """
    if not condition:
        raise NotAsPromised(message)


def until(what: str, ask: Callable[[], ResultT | None]) -> ResultT:
    """
    Ask again and again until there is an answer.

    :raises NotInTime: naming what did not come
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(PAUSE_S)
    raise NotInTime(f"{what} did not come within {PATIENCE_S:.0f} s")
