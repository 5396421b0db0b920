"""
The high-water mark: the latest time, and the newest revocation list, that this machine has seen.

It makes setting the clock back visible. It proves nothing against someone who deletes the file as well.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

TOLERANCE_S = 300
"""Clocks are corrected by minutes in honest life; only a larger step back is a rollback."""
_SAVE_EVERY_S = 60
_MAX_FILE_BYTES = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """
    The latest time and the newest epoch seen; zero is none.
    """

    time: int = 0
    epoch: int = 0


class HighWaterMark:
    """
    A mark kept in a small file, which several processes may share.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._seen = Mark()

    def read(self) -> Mark:
        """
        Give the mark. A missing or damaged file counts as none: a power cut must not stop a paying customer.
        """
        return _highest(self._seen, self._stored())

    def advance(self, *, time: int, epoch: int = 0) -> bool:
        """
        Raise the mark, never lower it; tell whether the file holds it.
        """
        stored = self._stored()
        self._seen = _highest(_highest(self._seen, stored), Mark(time, epoch))
        # A check may run on every request: the file follows a minute behind, the memory does not.
        if self._seen.time < stored.time + _SAVE_EVERY_S and self._seen.epoch == stored.epoch:
            return True
        return self._save(self._seen)

    def _stored(self) -> Mark:
        try:
            with self._path.open("rb") as file:
                document = json.loads(file.read(_MAX_FILE_BYTES))
        except (OSError, ValueError):
            return Mark()
        time, epoch = (document.get("time"), document.get("epoch")) if isinstance(document, dict) else (None, None)
        return Mark(time, epoch) if type(time) is int and type(epoch) is int else Mark()

    def _save(self, mark: Mark) -> bool:
        draft = self._path.with_name(f".{self._path.name}.{os.urandom(8).hex()}")
        try:
            with draft.open("xb") as file:
                file.write(json.dumps({"epoch": mark.epoch, "time": mark.time}).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError:
            draft.unlink(missing_ok=True)
            return False
        return True


def _highest(one: Mark, other: Mark) -> Mark:
    return Mark(max(one.time, other.time), max(one.epoch, other.epoch))
