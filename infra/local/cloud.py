"""
The manifest, running: functions, HTTP API, queues and schedules of one machine, composed.

Nothing is decided here but who knows whom. Start it on the main thread, or on a thread that lives as long as
the cloud should: function processes end with the thread that started them.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from infra import manifest
from infra.environments import faults
from infra.local.environment import ACCOUNT, OURS, MissingEnvironment, function_environment, handler_of, region_of
from infra.local.gateway import Gateway
from infra.local.http_server import HttpServer
from infra.local.iam.roles import role_of
from infra.local.lambda_runtime.pool import FunctionPool
from infra.local.lambda_runtime.process import FunctionSettings
from infra.local.limits import Limiter, Limits
from infra.local.log import Log
from infra.local.reload import Reloader
from infra.local.routes import RouteTable
from infra.local.schedules import Schedules
from infra.local.sqs.poller import Poller
from infra.local.sqs.queue import LocalQueue
from infra.local.sqs.registry import QueueRegistry, queue_name, queue_url
from infra.local.sqs.responder import SqsResponder

DEFAULT_LIMITS = Limits()

Judge = Callable[[manifest.Function, Mapping[str, str]], list[str]]
"""Says what is wrong with the variables of a function."""

RECORD = "PERMISSIONS_USED"
"""The variable that names a file for what functions use of their roles; see ``infra.local.iam.report``."""


class Cloud:
    """Everything that AWS would run of the manifest, between ``start`` and ``stop``."""

    api_url: str
    sqs_url: str
    queues: Mapping[manifest.Queue, LocalQueue]

    def __init__(
        self,
        *,
        root: Path,
        functions: Iterable[manifest.Function] = manifest.FUNCTIONS,
        queues: Iterable[manifest.QueueSettings] = manifest.QUEUES,
        schedules: Iterable[manifest.Schedule] = manifest.SCHEDULES,
        environment: Mapping[str, str],
        port: int = 0,
        origins: Iterable[str] = (),
        limits: Limits | None = DEFAULT_LIMITS,
        judge: Judge = faults,
        log: Log,
    ) -> None:
        self._root = root
        self._functions = tuple(functions)
        self._queue_settings = tuple(queues)
        self._schedule_settings = tuple(schedules)
        self._environment = dict(environment)
        self._port = port
        self._origins = frozenset(origins)
        self._limiter = None if limits is None else Limiter(self._functions, limits)
        self._judge = judge
        self._log = log
        self._region = region_of(environment)
        self._pools: dict[str, FunctionPool] = {}
        self._servers: list[HttpServer] = []
        self._pollers: list[Poller] = []
        self._registry = QueueRegistry(self._region)
        self._roles = tempfile.TemporaryDirectory(prefix="keywright-roles-")
        self._schedules = Schedules(self._schedule_settings, self._invoke, log=log)
        self._reloader: Reloader | None = None
        self._stopped = False

    async def start(self, *, reload: bool = False) -> None:
        """
        Bind the ports and begin to work. Function processes are started when they are first needed.

        :raises PortInUse: if the public port is taken
        :raises MissingEnvironment: if the manifest names a setting or secret that has no value, or has a wrong one
        """
        try:
            self._bind()
            self._prepare_functions()
        except BaseException:
            await self.stop()
            raise
        for server in self._servers:
            await server.start()
        for poller in self._pollers:
            poller.start()
        self._schedules.start()
        if reload:
            self._reloader = Reloader(self._root, self.recycle, log=self._log)
            self._reloader.start()

    async def invoke(self, function: str, event: object) -> object:
        """
        Invoke a function directly and wait for its answer, however long the queue for a process is.

        :raises InvocationFailed: if the function failed
        """
        answer: object = json.loads(await self._pools[function].invoke(json.dumps(event).encode()))
        return answer

    def pids(self, function: str) -> tuple[int, ...]:
        """
        List the processes of a function that run now.
        """
        return self._pools[function].pids

    async def recycle(self) -> None:
        """
        Have every function start anew: the idle processes at once, the busy ones when they have answered.
        """
        await asyncio.gather(*(pool.recycle() for pool in self._pools.values()))

    async def stop(self) -> None:
        """
        Stop everything that was started; no process is left. Stopping again does nothing.
        """
        if self._stopped:
            return
        self._stopped = True
        if self._reloader is not None:
            await self._reloader.stop()
        await self._schedules.stop()
        await asyncio.gather(*(poller.stop() for poller in self._pollers))
        for queue in self._registry:
            queue.close()
        # Side by side: the gateway waits for the requests that the ending of the processes answers.
        await asyncio.gather(
            *(pool.stop() for pool in self._pools.values()),
            *(server.stop() for server in self._servers),
        )
        self._roles.cleanup()

    def _bind(self) -> None:
        gateway = Gateway(
            RouteTable(self._functions), self._invoke, log=self._log, limiter=self._limiter, origins=self._origins
        )
        api = HttpServer(gateway, port=self._port)
        self._servers.append(api)
        sqs = HttpServer(SqsResponder(self._registry))
        self._servers.append(sqs)
        self.api_url, self.sqs_url = api.url, sqs.url

    def _prepare_functions(self) -> None:
        self._registry.add_manifest_queues(self._queue_settings)
        names = {settings.queue: queue_name(settings) for settings in self._queue_settings}
        self.queues = {queue: self._registry.get(name) for queue, name in names.items()}
        urls = {queue: queue_url(self.sqs_url, name) for queue, name in names.items()}
        environment = {f"{OURS}API_URL": self.api_url, **self._environment, "AWS_ENDPOINT_URL_SQS": self.sqs_url}
        for function in self._functions:
            told = function_environment(function, root=self._root, environment=environment, queue_urls=urls)
            if found := self._judge(function, told):
                raise MissingEnvironment(" ".join(found))
            self._pools[function.name] = pool = self._pool(function, told)
            if function.trigger is not None:
                self._pollers.append(self._poller(function, function.trigger, pool))

    def _pool(self, function: manifest.Function, environment: Mapping[str, str]) -> FunctionPool:
        settings = FunctionSettings(
            name=function.name,
            handler=handler_of(function),
            arn=f"arn:aws:lambda:{self._region}:{ACCOUNT}:function:{function.name}",
            environment=environment,
            folder=self._root,
            timeout_s=function.timeout_s,
            role=role_of(function, environment, record=os.environ.get(RECORD)).write(Path(self._roles.name)),
        )
        return FunctionPool(settings, limit=function.local_processes, log=self._log)

    def _poller(self, function: manifest.Function, trigger: manifest.QueueTrigger, pool: FunctionPool) -> Poller:
        # Batches beyond the processes there are would wait while their visibility timeout runs.
        concurrency = min(trigger.maximum_concurrency, function.local_processes)
        return Poller(self.queues[trigger.queue], trigger, pool.invoke, concurrency=concurrency, log=self._log)

    async def _invoke(self, function: str, payload: bytes, patience_s: float) -> bytes:
        return await self._pools[function].invoke(payload, patience_s=patience_s)
