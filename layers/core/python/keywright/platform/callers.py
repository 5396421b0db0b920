"""
On whose behalf others are asked: the route or the kind of job in hand.

Stripe is told it, so that its log of requests, and any stand-in's books, say which part of us made a call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

UNNAMED = "unnamed"

_LONGEST = 100
# It goes into a header, in parentheses.
_UNFIT = re.compile(r"[^\w /{}.:-]", re.ASCII)
_caller = ContextVar("caller", default=UNNAMED)


@contextmanager
def named(name: str) -> Iterator[None]:
    """Act for a caller, such as ``POST /v1/checkout-sessions`` or ``catalog.sync``."""
    token = _caller.set(_UNFIT.sub("", name)[:_LONGEST] or UNNAMED)
    try:
        yield
    finally:
        _caller.reset(token)


def current() -> str:
    """Return who is acted for."""
    return _caller.get()
