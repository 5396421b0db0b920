"""What a bucket is, and the answer to whoever finds it empty."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from keywright.platform.errors import TooMany


@dataclass(frozen=True)
class Limit:
    """``burst`` tries at once, and one more per ``interval``: never more than both together in any stretch of time."""

    burst: int
    interval: timedelta


@dataclass(frozen=True)
class Bucket:
    """Who tries what. The table holds a digest only: it lists neither addresses nor mailboxes."""

    name: str
    of: str
    limit: Limit

    @property
    def key(self) -> bytes:
        """Return the digest by which the bucket is stored."""
        return hashlib.sha256(f"{self.name}:{self.of}".encode()).digest()


@dataclass(frozen=True)
class Paid:
    """A try was granted; the bucket is in debt until then."""

    until: datetime


@dataclass(frozen=True)
class Wait:
    """No try is left; the next comes after this long."""

    delay: timedelta


class TooManyAttempts(TooMany):
    """Something was tried more often than it may be; it may be tried again after a while."""

    code = "too-many-attempts"
    title = "Too many attempts"
