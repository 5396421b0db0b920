"""
The semantics of a standard SQS queue: visibility, delay, receive counts, redrive, retention.

Pure: the time is passed in as seconds since the epoch, and nothing waits. No operation takes longer because
the queue is long.
"""

from __future__ import annotations

import base64
import binascii
import heapq
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from infra.local.sqs.errors import InvalidParameterValue, MessageNotInflight, ReceiptHandleIsInvalid
from infra.local.sqs.message import Attributes, Delivery, Message

MAXIMUM_VISIBILITY_S = 12 * 3600

# SQS names the caller's identity here; there is one caller on this machine.
SENDER = "AIDALOCALKEYWRIGHT000"


@dataclass
class QueueAttributes:
    """The attributes of a queue that change its behavior."""

    visibility_timeout_s: int = 30
    delay_s: int = 0
    retention_s: int = 4 * 24 * 3600
    wait_s: int = 0
    maximum_message_size: int = 1024 * 1024


@dataclass(frozen=True)
class Redrive:
    """Where messages go that were received too often."""

    target: MessageStore
    max_receive_count: int


@dataclass(frozen=True)
class Counts:
    """How many messages can be received, are delayed, and are with a consumer."""

    available: int
    delayed: int
    in_flight: int


class MessageStore:
    """The messages of one queue."""

    def __init__(self, arn: str, attributes: QueueAttributes | None = None, redrive: Redrive | None = None) -> None:
        self.arn = arn
        self.attributes = attributes or QueueAttributes()
        self.redrive = redrive
        self.on_arrival: Callable[[], None] = lambda: None
        """Called when messages come from another queue, whose owner cannot know who waits here."""
        self._messages: dict[str, Message] = {}
        self._available: dict[str, None] = {}  # ids in the order in which they became available
        self._hidden: dict[str, float] = {}  # id -> when it becomes available
        self._delayed: set[str] = set()
        # Both heaps keep entries that no longer hold; they are recognized and dropped when they come up.
        self._wakings: list[tuple[float, int, str]] = []
        self._ages: list[tuple[float, int, str]] = []
        self._order = itertools.count()

    def send(
        self,
        body: str,
        *,
        now: float,
        attributes: Attributes | None = None,
        delay_s: int | None = None,
        trace_header: str | None = None,
    ) -> Message:
        """
        Add a message, available at once or after the delay.
        """
        message = Message(str(uuid.uuid4()), body, now, attributes or {}, trace_header)
        self._add(message)
        delay_s = self.attributes.delay_s if delay_s is None else delay_s
        if delay_s:
            self._delayed.add(message.message_id)
            self._hide(message.message_id, until=now + delay_s)
        else:
            self._available[message.message_id] = None
        return message

    def receive(self, limit: int, *, now: float, visibility_timeout_s: int | None = None) -> list[Delivery]:
        """
        Hand out up to ``limit`` messages and hide them; move those received too often to the dead-letter queue.
        """
        self._settle(now)
        timeout_s = self.attributes.visibility_timeout_s if visibility_timeout_s is None else visibility_timeout_s
        deliveries: list[Delivery] = []
        while self._available and len(deliveries) < limit:
            message = self._messages[next(iter(self._available))]
            if self.redrive is not None and message.receive_count >= self.redrive.max_receive_count:
                self._remove(message.message_id)
                self.redrive.target.adopt(message, source_arn=self.arn)
                continue
            deliveries.append(self._deliver(message, now=now))
            self._hide(message.message_id, until=now + timeout_s)
        return deliveries

    def adopt(self, message: Message, *, source_arn: str) -> None:
        """
        Take over another queue's message: its age and receive count stay, its receipt handle does not.
        """
        message.receipt_handle = None
        message.source_arn = source_arn
        self._add(message)
        self._available[message.message_id] = None
        self.on_arrival()

    def delete(self, receipt_handle: str) -> None:
        """
        Remove the message of a receipt, unless a later receipt has taken its place.
        """
        message = self._messages.get(self._message_id(receipt_handle))
        if message is not None and message.receipt_handle == receipt_handle:
            self._remove(message.message_id)

    def change_visibility(self, receipt_handle: str, timeout_s: int, *, now: float) -> None:
        """
        Let a received message be available in ``timeout_s`` seconds from now.
        """
        self._settle(now)
        message_id = self._message_id(receipt_handle)
        message = self._messages.get(message_id)
        if message is None or message.receipt_handle != receipt_handle:
            raise InvalidParameterValue(
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is "
                "not available for visibility timeout change."
            )
        if message_id not in self._hidden:
            raise MessageNotInflight("The message referred to is not in flight.")
        self._hide(message_id, until=now + timeout_s)

    def purge(self) -> None:
        """
        Drop every message, also those in flight.
        """
        for message_id in list(self._messages):
            self._remove(message_id)
        self._wakings.clear()
        self._ages.clear()

    def counts(self, *, now: float) -> Counts:
        """
        Count the messages by what can be done with them.
        """
        self._settle(now)
        delayed = len(self._delayed)
        return Counts(len(self._available), delayed, len(self._hidden) - delayed)

    def next_available_at(self, *, now: float) -> float | None:
        """
        Say when a hidden message comes back next, if any does.
        """
        self._settle(now)
        return self._wakings[0][0] if self._wakings else None

    def _add(self, message: Message) -> None:
        self._messages[message.message_id] = message
        heapq.heappush(self._ages, (message.sent_at, next(self._order), message.message_id))

    def _remove(self, message_id: str) -> None:
        del self._messages[message_id]
        self._available.pop(message_id, None)
        self._hidden.pop(message_id, None)
        self._delayed.discard(message_id)

    def _hide(self, message_id: str, *, until: float) -> None:
        self._available.pop(message_id, None)
        self._hidden[message_id] = until
        heapq.heappush(self._wakings, (until, next(self._order), message_id))

    def _deliver(self, message: Message, *, now: float) -> Delivery:
        message.receive_count += 1
        message.first_received_at = message.first_received_at or now
        message.receipt_handle = self._new_handle(message.message_id)
        system_attributes = {
            "SenderId": SENDER,
            "SentTimestamp": _milliseconds(message.sent_at),
            "ApproximateReceiveCount": str(message.receive_count),
            "ApproximateFirstReceiveTimestamp": _milliseconds(message.first_received_at),
        }
        if message.trace_header is not None:
            system_attributes["AWSTraceHeader"] = message.trace_header
        if message.source_arn is not None:
            system_attributes["DeadLetterQueueSourceArn"] = message.source_arn
        return Delivery(message.message_id, message.receipt_handle, message.body, message.attributes, system_attributes)

    def _settle(self, now: float) -> None:
        while self._wakings and not (self._holds(self._wakings[0]) and self._wakings[0][0] > now):
            waking = heapq.heappop(self._wakings)
            if self._holds(waking):
                message_id = waking[2]
                del self._hidden[message_id]
                self._delayed.discard(message_id)
                self._available[message_id] = None
        while self._ages and self._ages[0][0] + self.attributes.retention_s <= now:
            message_id = heapq.heappop(self._ages)[2]
            if message_id in self._messages:
                self._remove(message_id)

    def _holds(self, waking: tuple[float, int, str]) -> bool:
        until, _, message_id = waking
        return self._hidden.get(message_id) == until

    def _new_handle(self, message_id: str) -> str:
        return base64.urlsafe_b64encode(f"{self.arn} {message_id} {uuid.uuid4().hex}".encode()).decode()

    def _message_id(self, receipt_handle: str) -> str:
        try:
            arn, message_id, _ = base64.urlsafe_b64decode(receipt_handle).decode().split(" ")
        except (binascii.Error, ValueError):
            raise ReceiptHandleIsInvalid from None
        if arn != self.arn:
            raise ReceiptHandleIsInvalid
        return message_id


def _milliseconds(at: float) -> str:
    return str(int(at * 1000))
