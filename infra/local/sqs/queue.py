"""
A queue in this process: a message store, the clock, and consumers that wait without polling.

Everything runs on one event loop; a call from another thread would be lost on those who wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from infra.local.sqs.message import Attributes, Delivery, Message
from infra.local.sqs.store import Counts, MessageStore, QueueAttributes, Redrive

Clock = Callable[[], float]

# A message due in less than this is waited for this long, so that rounding cannot make a consumer spin.
SHORTEST_WAIT_S = 0.001


class LocalQueue:
    """One standard queue, maybe with a dead-letter queue behind it."""

    def __init__(
        self,
        name: str,
        arn: str,
        attributes: QueueAttributes | None = None,
        *,
        dead_letters: LocalQueue | None = None,
        max_receive_count: int = 0,
        clock: Clock = time.time,
    ) -> None:
        self.name = name
        self.dead_letters = dead_letters
        redrive = None if dead_letters is None else Redrive(dead_letters.store, max_receive_count)
        self.store: MessageStore = MessageStore(arn, attributes, redrive)
        self.store.on_arrival = self._announce
        self.created_at = clock()
        self._clock = clock
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def arn(self) -> str:
        """
        The name by which policies, events and redrive rules know the queue.
        """
        return self.store.arn

    def send(
        self,
        body: str,
        *,
        attributes: Attributes | None = None,
        delay_s: int | None = None,
        trace_header: str | None = None,
    ) -> Message:
        """
        Add a message and wake who waits for one.
        """
        message = self.store.send(
            body, now=self._clock(), attributes=attributes, delay_s=delay_s, trace_header=trace_header
        )
        self._announce()
        return message

    async def receive(
        self, limit: int, *, wait_s: float | None = 0.0, visibility_timeout_s: int | None = None
    ) -> list[Delivery]:
        """
        Receive messages; while there are none wait up to ``wait_s`` seconds, or for ever if it is ``None``.
        """
        loop = asyncio.get_running_loop()
        deadline = None if wait_s is None else loop.time() + wait_s
        while True:
            now = self._clock()
            deliveries = self.store.receive(limit, now=now, visibility_timeout_s=visibility_timeout_s)
            left_s = None if deadline is None else deadline - loop.time()
            if deliveries or self._closed or (left_s is not None and left_s <= 0):
                return deliveries
            await self._wait_for_change(left_s, self.store.next_available_at(now=now), now)

    def delete(self, receipt_handle: str) -> None:
        """
        Remove the message of a receipt.
        """
        self.store.delete(receipt_handle)

    def change_visibility(self, receipt_handle: str, timeout_s: int) -> None:
        """
        Let a received message come back in ``timeout_s`` seconds.
        """
        self.store.change_visibility(receipt_handle, timeout_s, now=self._clock())
        self._announce()

    def purge(self) -> None:
        """
        Drop every message.
        """
        self.store.purge()

    def counts(self) -> Counts:
        """
        Count the messages as of now.
        """
        return self.store.counts(now=self._clock())

    def close(self) -> None:
        """
        Send everyone home who waits, now and later.
        """
        self._closed = True
        self._announce()

    def _announce(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _wait_for_change(self, left_s: float | None, due_at: float | None, now: float) -> None:
        waits = [] if left_s is None else [left_s]
        if due_at is not None:
            waits.append(max(due_at - now, SHORTEST_WAIT_S))
        try:
            async with asyncio.timeout(min(waits) if waits else None):
                await self._changed.wait()
        except TimeoutError:
            # Either the wait is over or a message has come back: the caller looks.
            return
