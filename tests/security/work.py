"""
What a piece of code makes the machine do: hashes of passwords, statements, transactions, messages.

Two requests that must not be told apart by the time they take must do the same work; that can be counted, and a clock
need not be judged. Counted by the interpreter's own profiling hook, so that nothing is replaced.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_HASHES = {"verify_phc_encoded", "derive_phc_encoded"}
_CALLS = {
    ("pymysql/connections.py", "commit"): "commits",
    ("pymysql/cursors.py", "execute"): "statements",
    ("keywright/platform/queue.py", "_send"): "messages",
}


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count what happens inside the block, on this thread."""
    seen: Counter[str] = Counter()

    def look(frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" and getattr(argument, "__name__", "") in _HASHES:
            seen["hashes"] += 1
        elif event == "call":
            code = frame.f_code
            place = "/".join(code.co_filename.split("/")[-2:])
            for (file, name), kind in _CALLS.items():
                if code.co_name == name and file.endswith(place):
                    seen[kind] += 1

    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(None)
