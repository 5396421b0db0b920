"""
An SQS message, its attributes and their digests. Pure values.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class MessageAttribute:
    """A typed value beside the body. ``data_type`` is ``String``, ``Number`` or ``Binary``, maybe with a label."""

    data_type: str
    value: str | bytes


Attributes = Mapping[str, MessageAttribute]


@dataclass
class Message:
    """A message and what its queue knows of it. Only the store changes one."""

    message_id: str
    body: str
    sent_at: float
    attributes: Attributes = field(default_factory=dict)
    trace_header: str | None = None
    receive_count: int = 0
    first_received_at: float | None = None
    receipt_handle: str | None = None
    source_arn: str | None = None
    """In a dead-letter queue: the queue that the message came from."""


@dataclass(frozen=True)
class Delivery:
    """One receipt of a message, as it was at that moment."""

    message_id: str
    receipt_handle: str
    body: str
    attributes: Attributes
    system_attributes: dict[str, str]


def md5_of_body(body: str) -> str:
    """
    Digest the body, as SQS does so that senders can check the transfer.
    """
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Attributes) -> str:
    """
    Digest the attributes in the documented binary layout: sorted names, each part preceded by its length.
    """
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        is_binary = isinstance(attribute.value, bytes)
        value = attribute.value if isinstance(attribute.value, bytes) else attribute.value.encode()
        digest.update(_with_length(name.encode()))
        digest.update(_with_length(attribute.data_type.encode()))
        digest.update(b"\x02" if is_binary else b"\x01")
        digest.update(_with_length(value))
    return digest.hexdigest()


def size_of(body: str, attributes: Attributes) -> int:
    """
    Count the bytes that SQS counts: the body and every attribute's name, type and value.
    """
    total = len(body.encode())
    for name, attribute in attributes.items():
        total += len(name.encode()) + len(attribute.data_type) + len(attribute.value)
    return total


def _with_length(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data
