"""
EventBridge schedules: each invokes its function every so often, and does not wait for the answer.

The first firing comes after one interval. A firing that fails, or that finds no free process before the next
is due, is logged and lost, and the schedule goes on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from infra.local.lambda_runtime.invocation import InvocationFailed, Throttled
from infra.local.log import Log
from infra.manifest import Schedule

Invoke = Callable[[str, bytes, float], Coroutine[Any, Any, bytes]]
"""Function name, event, and how long to wait for a free process."""


class Schedules:
    """The clocks of the manifest's schedules."""

    def __init__(self, schedules: Iterable[Schedule], invoke: Invoke, *, log: Log) -> None:
        self._schedules = tuple(schedules)
        self._invoke = invoke
        self._log = log
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """
        Start every clock.
        """
        for schedule in self._schedules:
            self._spawn(self._tick(schedule))

    async def stop(self) -> None:
        """
        Stop the clocks, and forget the firings under way.
        """
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tick(self, schedule: Schedule) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            # Counted from the start, so that intervals do not drift by what a firing takes.
            due += schedule.every_s
            await asyncio.sleep(due - loop.time())
            self._spawn(self._fire(schedule))

    async def _fire(self, schedule: Schedule) -> None:
        try:
            await self._invoke(schedule.function, json.dumps(schedule.payload).encode(), schedule.every_s)
        except (InvocationFailed, Throttled) as failure:
            self._log(f"schedule {schedule.name}", f"not carried out: {failure}")
