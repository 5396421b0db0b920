"""
The folder where a stack keeps what outlives it, and the lock that lets one stack at a time have it.

The lock is the kernel's: it goes with the process however that ends, so nothing stale is ever in the way.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.local.trouble import Trouble


class StateInUse(Trouble):
    """Another stack runs on the same folder."""


@contextlib.contextmanager
def exclusive(folder: Path, name: str) -> Iterator[None]:
    """
    Hold ``<folder>/<name>.lock``, and leave no lock file behind.

    :raises StateInUse: naming the process that holds it
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise StateInUse(f"`make {name}` already runs here (process {holder}): stop it first.") from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """
    Write a file that only its owner may read, whole or not at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as draft:
        draft.write(text)
    Path(draft.name).replace(path)
