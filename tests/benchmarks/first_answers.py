"""From no process to the first answer, for each function: what a cold start costs on this machine."""

from __future__ import annotations

import asyncio
import time

from infra.local.stack import LocalStack
from infra.manifest import FUNCTIONS, Function
from tests.api import event_of
from tests.benchmarks.figures import Figure

RUNS = 5


async def measure(stack: LocalStack) -> list[Figure]:
    """Return one figure per function; before each run all processes are ended."""
    samples: dict[str, list[float]] = {function.name: [] for function in FUNCTIONS}
    for _ in range(RUNS):
        await stack.cloud.recycle()
        for function in FUNCTIONS:
            began = time.monotonic()
            await asyncio.wait_for(stack.cloud.invoke(function.name, _event(function)), timeout=60)
            samples[function.name].append(time.monotonic() - began)
    return [Figure(f"start to first answer: {name}", taken) for name, taken in samples.items()]


def _event(function: Function) -> object:
    """Return something that the function answers quickly: a request, an empty batch, a schedule."""
    if function.routes:
        route = function.routes[-1]
        return event_of(function.name, route.method, route.path, body="", headers={}, query={})
    if function.trigger is not None:
        return {"Records": []}
    if function.events is not None:
        return {"id": "bench", "detail": {"eventType": "Bounce", "bounce": {"bounceType": "Transient"}}}
    return {"do": "dispatch"}
