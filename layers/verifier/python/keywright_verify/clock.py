"""
Time: the caller's, and the high-water mark: the latest time and the newest revocation list that this machine saw.

The mark makes setting the clock back visible. It proves nothing against someone who deletes the file as well.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from keywright_verify.codes import Note

TOLERANCE_S = 300
"""Clocks are corrected by minutes in honest life; only a larger step back is a rollback."""
_SAVE_EVERY_S = 60
_MAX_FILE_BYTES = 200


def seconds(now: int | datetime) -> int:
    """
    Give a time as seconds since 1970.

    :raises ValueError: if it is a datetime without a time zone, or no whole number
    """
    if type(now) is int:
        return now
    if not isinstance(now, datetime):
        raise ValueError("The time is seconds as a whole number, or a datetime.")  # noqa: TRY004  one error
    if now.tzinfo is None:
        raise ValueError("A datetime needs a time zone.")
    return int(now.timestamp())


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
        self._file: tuple[object, Mark, Note | None] = (None, Mark(), Note.CLOCK_MARK_NEW)

    def read(self) -> Mark:
        """
        Give the mark. A missing or damaged file counts as none: a power cut must not stop a paying customer.
        """
        return _highest(self._seen, self._stored()[0])

    def state(self) -> Note | None:
        """
        Tell whether the file is missing or damaged, which is as good as a clock that nobody watched.
        """
        return self._stored()[1]

    def advance(self, *, time: int, epoch: int = 0) -> bool:
        """
        Raise the mark, never lower it; tell whether the file holds it.
        """
        stored, wrong = self._stored()
        self._seen = _highest(_highest(self._seen, stored), Mark(time, epoch))
        # A check may run on every request: the file follows a minute behind, the memory does not.
        if wrong is None and self._seen.time < stored.time + _SAVE_EVERY_S and self._seen.epoch == stored.epoch:
            return True
        return self._save(self._seen)

    def quiet_time(self, now: int, *, signed_at: int, epoch: int | None) -> int | None:
        """
        Give the latest time there is evidence for, if a check now finds nothing to say and nothing to save.
        """
        stored, wrong = self._stored()
        seen = _highest(self._seen, stored)
        is_due = now >= stored.time + _SAVE_EVERY_S or seen.epoch != stored.epoch
        is_odd = now < seen.time - TOLERANCE_S or seen.time < signed_at or epoch not in (None, seen.epoch)
        if wrong is not None or is_due or is_odd:
            return None
        self._seen = Mark(max(seen.time, now), seen.epoch)
        return self._seen.time

    def _stored(self) -> tuple[Mark, Note | None]:
        try:
            is_now = self._path.stat()
        except FileNotFoundError:
            return Mark(), Note.CLOCK_MARK_NEW
        except OSError:
            return Mark(), Note.CLOCK_MARK_DAMAGED
        # Each save makes a new file, so a file that looks the same has been read already.
        version = (is_now.st_ino, is_now.st_mtime_ns, is_now.st_size)
        if version != self._file[0]:
            mark = self._parsed()
            self._file = (version, mark or Mark(), None if mark else Note.CLOCK_MARK_DAMAGED)
        return self._file[1], self._file[2]

    def _parsed(self) -> Mark | None:
        try:
            with self._path.open("rb") as file:
                document = json.loads(file.read(_MAX_FILE_BYTES))
        except (OSError, ValueError, RecursionError):
            return None
        time, epoch = (document.get("time"), document.get("epoch")) if isinstance(document, dict) else (None, None)
        return Mark(time, epoch) if type(time) is int and type(epoch) is int else None

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
