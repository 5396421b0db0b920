"""
The event source mapping: takes messages from a queue, gives them to a function in batches, deletes the handled.

AWS runs this part itself, so it reads the queue directly, and sleeps while there is nothing. A message that was
not handled is left alone: its visibility timeout brings it back, and the queue counts how often.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from infra.local.lambda_runtime.invocation import PAYLOAD_LIMIT, InvocationFailed, Throttled
from infra.local.log import Log
from infra.local.sqs.lambda_events import failed_ids, sqs_event
from infra.local.sqs.message import Delivery
from infra.local.sqs.queue import LocalQueue
from infra.manifest import QueueTrigger

Invoke = Callable[[bytes], Awaitable[bytes]]

# SQS hands out at most ten messages in one receive; larger batches are gathered from several.
RECEIVE_LIMIT = 10


class Poller:
    """Feeds one function from one queue, with at most ``concurrency`` batches under way."""

    def __init__(self, queue: LocalQueue, trigger: QueueTrigger, invoke: Invoke, *, concurrency: int, log: Log) -> None:
        self._queue = queue
        self._trigger = trigger
        self._invoke = invoke
        self._concurrency = concurrency
        self._log = log
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """
        Begin to take messages.
        """
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        for worker in self._workers:
            worker.add_done_callback(self._report)

    async def stop(self) -> None:
        """
        Take no more messages, and forget the batches under way: they come back to the queue by themselves.
        """
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _work(self) -> None:
        # One batch after the other: the number of workers is the concurrency, and a message is only taken, which
        # starts its visibility timeout, when a worker is free to have it handled.
        while True:
            await self.handle(await self._next_batch())

    def _report(self, worker: asyncio.Task[None]) -> None:
        # A worker ends when it is stopped. Any other end would leave messages lying without a word.
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self._log(f"sqs {self._queue.name}", f"takes fewer batches at a time from now on: {error!r}")

    async def handle(self, batch: list[Delivery]) -> None:
        """
        Have one batch handled, and delete what was.
        """
        by_id = {delivery.message_id: delivery for delivery in batch}
        failed = await self._failed(batch)
        for message_id, delivery in by_id.items():
            if message_id not in failed:
                self._queue.delete(delivery.receipt_handle)
        if failed:
            self._log(f"sqs {self._queue.name}", f"{len(failed)} of {len(batch)} messages were not handled")

    async def _failed(self, batch: list[Delivery]) -> set[str]:
        sent_ids = {delivery.message_id for delivery in batch}
        event = sqs_event(batch, queue_arn=self._queue.arn)
        try:
            answer = await self._invoke(json.dumps(event).encode())
        except (InvocationFailed, Throttled):
            # Logged where it happened. To the queue they are all the same: nothing was handled.
            return sent_ids
        return self.read_answer(answer, sent_ids)

    def read_answer(self, answer: bytes, sent_ids: set[str]) -> set[str]:
        """
        Name the messages that the answer leaves unhandled.
        """
        return failed_ids(answer, sent_ids)

    async def _next_batch(self) -> list[Delivery]:
        size = self._trigger.batch_size
        batch = await self._queue.receive(min(size, RECEIVE_LIMIT), wait_s=None)
        if not batch:
            # A closed queue answers at once, for ever: the process is being stopped.
            await asyncio.Event().wait()
        loop = asyncio.get_running_loop()
        closes_at = loop.time() + self._trigger.batching_window_s
        while len(batch) < size and (left_s := closes_at - loop.time()) > 0 and _size(batch) < PAYLOAD_LIMIT // 2:
            batch += await self._queue.receive(min(size - len(batch), RECEIVE_LIMIT), wait_s=left_s)
        return batch


def _size(batch: list[Delivery]) -> int:
    return sum(len(delivery.body) for delivery in batch)
