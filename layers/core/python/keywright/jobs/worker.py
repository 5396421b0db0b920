"""
Carries jobs out: claims, begins, executes, finishes, and gives back what it will not get to.

The same code runs in a Lambda function and in a long-running process. It opens no transaction of its own accord and
knows no kind's business: both are handed in by the edge.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from keywright.jobs import failures, kinds, rules, service
from keywright.jobs.kinds import Backoff, Kind
from keywright.jobs.models import Job, LeaseLost, Skipped, UnknownKind
from keywright.platform import callers, log
from keywright.platform.db import Transaction

Effect = Callable[[Transaction], None]
Executor = Callable[[dict[str, str]], Effect | Skipped | None]
"""
May call the network, outside any transaction. The effect that it returns is applied in the transaction that completes
the job, under the lease: if the lease is lost, it rolls back. ``Skipped`` completes the job with a reason.
"""

Result = TypeVar("Result")


class Transact(Protocol):
    """How the edge opens a transaction."""

    def __call__(self, work: Callable[[Transaction], Result], /) -> Result:
        """Run the work in one transaction, again if need be, and commit."""


MayBegin = Callable[[timedelta], bool]
"""Whether there is room for a job that may take so long: time left to a function, no stop asked of a process."""


@dataclass(frozen=True)
class Pace:
    """How much a worker claims at once, and for how long; light jobs are completed together at the latest after."""

    batch: int = 10
    lease: timedelta = rules.LEASE
    flush_after_s: float = 0.05


class Worker:
    """One owner of leases, doing one job after the other."""

    def __init__(
        self,
        *,
        owner: str,
        executors: Mapping[str, Executor],
        transact: Transact,
        reconnect: Callable[[], None],
        pace: Pace = Pace(),
        registry: Mapping[str, Kind] = kinds.KINDS,
        held: Callable[[Sequence[Job]], AbstractContextManager[Any]] = lambda _jobs: nullcontext(),
    ) -> None:
        """``held`` is entered with the jobs whose leases must be kept while the first of them is carried out."""
        self._owner, self._pace, self._registry = owner, pace, registry
        self._executors, self._transact, self._reconnect = executors, transact, reconnect
        self._held = held
        self._done: list[Job] = []
        self._done_since = 0.0

    def run_these(self, job_sids: Sequence[str], *, may_begin: MayBegin) -> int:
        """Carry out those of the jobs that are there to be done; return how many were."""

        def claim(tx: Transaction) -> list[Job]:
            now = service.database_time(tx)
            return service.claim_these(tx, job_sids=job_sids, owner=self._owner, now=now, lease=self._pace.lease)

        return self._run(self._transact(claim), may_begin)

    def run_due(self, *, may_begin: MayBegin) -> int:
        """Carry out the first jobs of the queue; return how many, 0 where none is due or there is no room."""

        def claim(tx: Transaction) -> list[Job]:
            return service.claim_due(
                tx,
                limit=self._pace.batch,
                owner=self._owner,
                now=service.database_time(tx),
                lease=self._pace.lease,
                registry=self._registry,
            )

        return self._run(self._transact(claim), may_begin)

    def _run(self, batch: Sequence[Job], may_begin: MayBegin) -> int:
        for position, job in enumerate(batch):
            if not may_begin(timedelta(seconds=job.timeout_s)):
                self._flush()
                self._give_back(batch[position:])
                return position
            self._run_one(job, rest=[later for later in batch[position + 1 :] if not later.begun])
        self._flush()
        return len(batch)

    def _run_one(self, job: Job, *, rest: Sequence[Job]) -> None:
        log.bind(correlation_id=job.correlation_id or job.job_sid)
        try:
            if not job.begun:
                self._flush()
                self._transact(lambda tx: self._begin(tx, job, rest))
            with self._held([job, *rest]):
                result = self._execute(job)
            self._finish(job, result)
        except LeaseLost:
            log.warning("job lost", job_sid=job.job_sid, kind=job.kind, attempt=job.attempts)
        except Exception as problem:  # noqa: BLE001  (whatever went wrong, the job is retried or buried, never lost)
            self._fail(job, problem)
        finally:
            log.unbind()

    def _begin(self, tx: Transaction, job: Job, rest: Sequence[Job]) -> None:
        now = service.database_time(tx)
        service.begin(tx, job, now=now, lease=self._pace.lease)
        try:
            service.heartbeat(tx, rest, now=now, lease=self._pace.lease)
        except LeaseLost:
            # Not this job's business: the one that was lost is refused when its own turn comes.
            log.warning("lease of a later job lost", kind=job.kind)

    def _execute(self, job: Job) -> Effect | Skipped | None:
        if job.kind not in self._executors:
            # Newer code may be on its way, so this is retried.
            raise UnknownKind(f"Nobody here does {job.kind!r}.")
        payload = dict(job.payload)
        if job.kind in self._registry:
            self._registry[job.kind].payload.check(payload)
        with callers.named(job.kind):
            return self._executors[job.kind](payload)

    def _finish(self, job: Job, result: Effect | Skipped | None) -> None:
        if result is None and job.kind in self._registry and self._registry[job.kind].light:
            self._finish_later(job)
            return

        def finish(tx: Transaction) -> None:
            note = result.reason if isinstance(result, Skipped) else None
            service.complete(tx, job, now=service.database_time(tx), note=note)
            if result is not None and not isinstance(result, Skipped):
                result(tx)

        self._transact(finish)
        log.info("job done", job_sid=job.job_sid, kind=job.kind, attempt=job.attempts)

    def _finish_later(self, job: Job) -> None:
        if not self._done:
            self._done_since = time.monotonic()
        self._done.append(job)
        if time.monotonic() - self._done_since > self._pace.flush_after_s:
            self._flush()

    def _flush(self) -> None:
        """Complete the light jobs that are done; if one was lost, the others one by one."""
        done, self._done = self._done, []
        if not done:
            return
        try:
            self._transact(lambda tx: service.complete_many(tx, done, now=service.database_time(tx)))
        except LeaseLost:
            for job in done:
                self._complete_alone(job)
        log.info("light jobs done", jobs=len(done))

    def _complete_alone(self, job: Job) -> None:
        try:
            self._transact(lambda tx: service.complete(tx, job, now=service.database_time(tx)))
        except LeaseLost:
            log.warning("job lost", job_sid=job.job_sid, kind=job.kind, attempt=job.attempts)

    def _fail(self, job: Job, problem: Exception) -> None:
        log.error("job failed", job_sid=job.job_sid, kind=job.kind, attempt=job.attempts)
        if failures.classify(problem) is failures.Verdict.RECONNECT:
            self._reconnect()
        failure, jitter = failures.describe(problem), random.random()  # noqa: S311  (spreads retries)
        backoff = self._registry[job.kind].backoff if job.kind in self._registry else Backoff()

        def record(tx: Transaction) -> None:
            now = service.database_time(tx)
            service.fail(tx, job, error=failure, now=now, jitter=jitter, backoff=backoff)

        try:
            self._transact(record)
        except LeaseLost:
            log.warning("job lost", job_sid=job.job_sid, kind=job.kind, attempt=job.attempts)

    def _give_back(self, jobs: Sequence[Job]) -> None:
        """Release what was not begun. Light jobs begin with their claim, yet none of these was executed."""
        self._transact(lambda tx: service.release(tx, jobs, now=service.database_time(tx)))
        log.info("jobs released", jobs=len(jobs))
