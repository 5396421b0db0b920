"""
Identifiers: a short prefix and a UUIDv7 in text (RFC 9562, section 5.7), so that they sort by time.

``new`` draws a random one. ``derived`` computes one from its cause, so that the same fact always gets the same id.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime


def new(prefix: str, *, now: datetime) -> str:
    """Return a fresh id such as ``dom_0190…`` whose time part is ``now``."""
    return f"{prefix}_{_uuid7(now, secrets.token_bytes(10))}"


def derived(prefix: str, *, at: datetime, of: str) -> str:
    """Return the id of the fact ``of`` that happened ``at``; the same arguments give the same id for ever."""
    return f"{prefix}_{_uuid7(at, hashlib.sha256(f'{prefix}:{of}'.encode()).digest()[:10])}"


def _uuid7(moment: datetime, entropy: bytes) -> uuid.UUID:
    milliseconds = int(moment.timestamp() * 1000)
    random_a, random_b = int.from_bytes(entropy[:2]), int.from_bytes(entropy[2:])
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random_a & 0xFFF) << 64
    return uuid.UUID(int=value | 0b10 << 62 | random_b & (1 << 62) - 1)
