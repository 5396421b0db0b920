"""
One function process: the AWS Lambda runtime client, its Runtime API, its output and its end.

It handles one event at a time and judges the timeout. Whether another process is started is the pool's affair.

Processes must be started by the thread that lives as long as they should: the kernel ends a child when the
*thread* that started it ends.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.lambda_runtime.invocation import Exchange, InitFailed, Invocation, InvocationFailed, NotTaken
from infra.local.lambda_runtime.runtime_api import RuntimeApi
from infra.local.log import Log

# Lambda gives an init phase 10 s. This machine may start a dozen functions at once on two cores, without bytecode.
INIT_LIMIT_S = 30.0

STOP_GRACE_S = 0.3

_ENTRY = Path(__file__).with_name("entry.py")


@dataclass(frozen=True)
class FunctionSettings:
    """
    What a process of one function is started with.

    ``role`` is the file that says what it may do in AWS; ``python`` is the interpreter with its options.
    """

    name: str
    handler: str
    arn: str
    environment: Mapping[str, str]
    folder: Path
    timeout_s: float
    init_limit_s: float = INIT_LIMIT_S
    role: Path | None = None
    python: tuple[str, ...] = (sys.executable,)


class FunctionProcess:
    """A running Lambda runtime client. Make one with ``spawn``."""

    def __init__(
        self, settings: FunctionSettings, api: RuntimeApi, child: asyncio.subprocess.Process, log: Log
    ) -> None:
        self.pid = child.pid
        self._settings = settings
        self._api = api
        self._child = child
        self._log = log
        self._exited = asyncio.create_task(self._watch())

    @classmethod
    async def spawn(cls, settings: FunctionSettings, log: Log) -> FunctionProcess:
        """
        Start the process, without waiting until it can work.
        """
        api = RuntimeApi()
        environment = {**settings.environment, "AWS_LAMBDA_RUNTIME_API": await api.start()}
        command, stdin = _command(settings)
        child = await asyncio.create_subprocess_exec(
            *command,
            cwd=settings.folder,
            env=environment,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C in the terminal reaches the whole session; children are ended in order by ``stop``.
            start_new_session=True,
        )
        return cls(settings, api, child, log)

    @property
    def alive(self) -> bool:
        """Whether the process was still running when last heard of."""
        return not self._exited.done()

    @property
    def idle(self) -> bool:
        """Whether it can be given an event."""
        return self.alive and not self._api.busy

    def on_exit(self, call: Callable[[], None]) -> None:
        """
        Have ``call`` called when the process has ended.
        """
        self._exited.add_done_callback(lambda _: call())

    async def ready(self) -> None:
        """
        Wait until the handler is imported.

        :raises InitFailed: if it cannot be, and then the process has been ended
        """
        limit = self._settings.init_limit_s
        initialized = self._api.initialized
        await self._first_of(initialized, limit)
        if initialized.done() and initialized.exception() is None:
            return
        if initialized.done():
            failure = initialized.exception()
        elif self._exited.done():
            status = self._exited.result()
            failure = InitFailed("Runtime.ExitError", f"The process ended with {_describe(status)} while starting.")
        else:
            failure = InitFailed("Sandbox.Timedout", f"The handler was not imported within {limit:.0f} seconds.")
        await self.kill()
        assert failure is not None
        raise failure

    async def invoke(self, payload: bytes) -> bytes:
        """
        Have one event handled.

        :raises InvocationFailed: if the handler raised, ran out of time, or the process ended
        :raises NotTaken: if the process ended before it saw the event
        """
        exchange = self._api.offer(self._invocation(payload))
        await self._first_of(exchange.answer, self._settings.timeout_s)
        if exchange.answer.done():
            return exchange.answer.result()
        if self._exited.done():
            raise self._ended(exchange)
        await self.kill()
        request_id, limit = exchange.invocation.request_id, self._settings.timeout_s
        message = f"RequestId: {request_id} Error: Task timed out after {limit:.2f} seconds"
        self._log(self._source, message)
        raise InvocationFailed("Sandbox.Timedout", message)

    async def stop(self) -> None:
        """
        End the process: ask, wait a moment, insist.
        """
        self._signal(signal.SIGTERM)
        await asyncio.wait({self._exited}, timeout=STOP_GRACE_S)
        await self.kill()

    async def kill(self) -> None:
        """
        End the process at once and wait until it is gone.
        """
        self._signal(signal.SIGKILL)
        await asyncio.shield(self._exited)

    @property
    def _source(self) -> str:
        return f"{self._settings.name}[{self.pid}]"

    async def _first_of(self, event: asyncio.Future[Any], limit_s: float) -> None:
        """
        Wait for an event or the process's end, whichever is first, but no longer than the limit.
        """
        racers: list[asyncio.Future[Any]] = [event, self._exited]
        await asyncio.wait(racers, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)

    def _signal(self, number: signal.Signals) -> None:
        # The pid is ours for as long as the child has not been reaped, which is what ``returncode`` tells. The
        # child leads a session of its own, so that what the function started ends with it.
        if self._child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _invocation(self, payload: bytes) -> Invocation:
        now = time.time()
        return Invocation(
            request_id=str(uuid.uuid4()),
            function_arn=self._settings.arn,
            deadline_ms=int((now + self._settings.timeout_s) * 1000),
            trace_id=f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=0",
            payload=payload,
        )

    def _ended(self, exchange: Exchange) -> Exception:
        if not exchange.taken:
            return NotTaken()
        status = _describe(self._exited.result())
        message = f"RequestId: {exchange.invocation.request_id} Error: Runtime exited with error: {status}"
        self._log(self._source, message)
        return InvocationFailed("Runtime.ExitError", message)

    async def _watch(self) -> int:
        forwarding = asyncio.create_task(self._forward_output())
        status = await self._child.wait()
        self._api.stop()
        # Something the function started may hold its output open, so the end of the stream is not waited for long.
        await asyncio.wait({forwarding}, timeout=0.1)
        forwarding.cancel()
        return status

    async def _forward_output(self) -> None:
        assert self._child.stdout is not None
        rest = b""
        while chunk := await self._child.stdout.read(65536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._print(line)
        self._print(rest)

    def _print(self, line: bytes) -> None:
        # The runtime client joins the lines of a traceback by carriage returns, to keep them one CloudWatch event.
        for part in line.decode("utf-8", "replace").splitlines():
            self._log(self._source, part)


def _command(settings: FunctionSettings) -> tuple[list[str], int]:
    role, handler = settings.role, settings.handler
    client = [*settings.python, str(_ENTRY), *(["--role", str(role)] if role else [])]
    if setpriv := shutil.which("setpriv"):
        return [setpriv, "--pdeathsig", "KILL", "--", *client, handler], asyncio.subprocess.DEVNULL
    return [*client, "--end-with-parent", handler], asyncio.subprocess.PIPE


def _describe(status: int) -> str:
    return f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
