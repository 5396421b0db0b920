"""
The processes of one function: started when needed, reused, replaced, never more than allowed.

It decides which process handles an event. What happens inside a process, and why a function failed, is not its
affair.
"""

from __future__ import annotations

import asyncio
import time

from infra.local.lambda_runtime.invocation import PAYLOAD_LIMIT, InitFailed, InvocationFailed, NotTaken, Throttled
from infra.local.lambda_runtime.process import FunctionProcess, FunctionSettings
from infra.local.log import Log

# After a failed start the same failure is given to whoever asks within this time, so that a typing error in a
# handler does not start processes as fast as the machine can.
INIT_RETRY_S = 1.0

# An idle process may end at the very moment it is given an event. Losing that race again and again means more.
ATTEMPTS = 3


class FunctionPool:
    """Handles events of one function, each in a process that has nothing else to do."""

    def __init__(self, settings: FunctionSettings, *, limit: int, log: Log) -> None:
        self._settings = settings
        self._limit = limit
        self._log = log
        # Whoever holds a slot may use or start one process. Idle processes belong to free slots, so there are
        # never more processes than slots.
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[FunctionProcess] = []
        self._processes: set[FunctionProcess] = set()
        self._outdated: set[FunctionProcess] = set()
        self._init_failure: tuple[float, InitFailed] | None = None
        self._closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """The ids of the processes that run now."""
        return tuple(process.pid for process in self._processes if process.alive)

    async def invoke(self, payload: bytes, *, patience_s: float | None = None) -> bytes:
        """
        Have one event handled, waiting up to ``patience_s`` for a free process.

        :raises InvocationFailed: if the function failed
        :raises Throttled: if no process came free in time
        """
        if len(payload) > PAYLOAD_LIMIT:
            raise InvocationFailed("RequestTooLarge", f"Request must be smaller than {PAYLOAD_LIMIT} bytes.")
        try:
            async with asyncio.timeout(patience_s):
                await self._slots.acquire()
        except TimeoutError:
            raise Throttled(f"No process of {self._settings.name} came free within {patience_s} s.") from None
        try:
            return await self._invoke_in_slot(payload)
        finally:
            self._slots.release()

    async def recycle(self) -> None:
        """
        Let no process of now handle another event: end the idle ones, and the busy ones when they have answered.
        """
        self._init_failure = None
        self._outdated.update(self._processes)
        idle, self._idle = self._idle, []
        await asyncio.gather(*(process.kill() for process in idle))

    async def stop(self) -> None:
        """
        End every process, and every invocation with it.
        """
        self._closed = True
        await asyncio.gather(*(process.stop() for process in list(self._processes)))
        for _ in range(self._limit):
            await self._slots.acquire()

    async def _invoke_in_slot(self, payload: bytes) -> bytes:
        for _ in range(ATTEMPTS):
            process = await self._take()
            try:
                return await process.invoke(payload)
            except NotTaken:
                continue
            finally:
                await self._put_back(process)
        raise InvocationFailed("Runtime.ExitError", f"{ATTEMPTS} processes ended before they saw the event.")

    async def _take(self) -> FunctionProcess:
        if self._closed:
            raise Throttled(f"{self._settings.name} is being stopped.")
        while self._idle:
            process = self._idle.pop()
            if process.idle:
                return process
        return await self._start()

    async def _start(self) -> FunctionProcess:
        if self._init_failure is not None and time.monotonic() - self._init_failure[0] < INIT_RETRY_S:
            failure = self._init_failure[1]
            raise InitFailed(failure.error_type, failure.message, failure.details)
        try:
            process = await FunctionProcess.spawn(self._settings, self._log)
        except OSError as error:
            # The machine is out of processes, memory or files: the event may be tried again, like any other.
            raise InitFailed("Runtime.InvalidEntrypoint", f"No process could be started: {error}") from error
        self._track(process)
        if self._closed:
            await process.kill()
        try:
            await process.ready()
        except InitFailed as failure:
            if not self._closed:
                self._init_failure = (time.monotonic(), failure)
                self._log(f"{self._settings.name}[{process.pid}]", f"could not start: {failure}")
            raise
        except asyncio.CancelledError:
            await process.kill()
            raise
        return process

    def _track(self, process: FunctionProcess) -> None:
        self._processes.add(process)
        process.on_exit(lambda: self._processes.discard(process))
        process.on_exit(lambda: self._outdated.discard(process))

    async def _put_back(self, process: FunctionProcess) -> None:
        if process.idle and process not in self._outdated:
            self._idle.append(process)
        elif process.alive:
            await process.kill()
