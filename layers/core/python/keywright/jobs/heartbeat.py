"""Keeps the leases of a long-running worker while it is busy: a thread with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Self

from keywright.jobs import service
from keywright.jobs.models import Job, LeaseLost
from keywright.jobs.worker import Transact
from keywright.platform import log
from keywright.platform.db import Transaction
from keywright.platform.errors import DatabaseUnavailable


class Heart:
    """``with Heart(…) as heart: Worker(held=heart.keep)``. It beats three times in a lease."""

    def __init__(self, *, transact: Transact, disconnect: Callable[[], None], lease: timedelta) -> None:
        self._transact, self._disconnect, self._lease = transact, disconnect, lease
        self._jobs: Sequence[Job] = ()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join(self._lease.total_seconds())

    @contextmanager
    def keep(self, jobs: Sequence[Job]) -> Iterator[None]:
        """Prolong the leases of these jobs for as long as the block lasts."""
        self._jobs = jobs
        try:
            yield
        finally:
            self._jobs = ()

    def _beat(self) -> None:
        while not self._stopped.wait(self._lease.total_seconds() / 3):
            if jobs := self._jobs:
                self._prolong(jobs)
        self._disconnect()

    def _prolong(self, jobs: Sequence[Job]) -> None:
        def prolong(tx: Transaction) -> None:
            service.heartbeat(tx, jobs, now=service.database_time(tx), lease=self._lease)

        try:
            self._transact(prolong)
        except LeaseLost:
            # Finished this very moment, or lost: the fence decides when the worker comes to finish.
            log.info("heartbeat found a lease gone", jobs=len(jobs))
        except DatabaseUnavailable:
            log.warning("heartbeat missed", jobs=len(jobs))
