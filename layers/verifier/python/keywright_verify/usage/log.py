"""
The usage log: what the product counts on a machine without a network, and the signed exports made of it.

A record that ``record`` has returned from survives a power cut. Nothing is ever changed or deleted here; a period
that was exported once is given again byte for byte.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from keywright_verify.claims import is_name, is_time
from keywright_verify.clock import seconds
from keywright_verify.jws import sign
from keywright_verify.machine import key_id, public_jwk
from keywright_verify.usage.amounts import add, amount, amount_text
from keywright_verify.usage.chain import ChainHead, head_of
from keywright_verify.usage.export import TYPE, read_export
from keywright_verify.usage.values import HourUsage, Period, UsageRecord, by_hour, is_meter, is_record_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from types import TracebackType

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_WAIT_S = 30
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (one INTEGER PRIMARY KEY CHECK (one = 1), lid TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS records (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, meter TEXT NOT NULL, time INTEGER NOT NULL,
    value TEXT NOT NULL, export INTEGER REFERENCES exports (n)
);
CREATE INDEX IF NOT EXISTS records_to_export ON records (time) WHERE export IS NULL;
CREATE TABLE IF NOT EXISTS exports (
    n INTEGER PRIMARY KEY AUTOINCREMENT, kid TEXT NOT NULL, seq INTEGER NOT NULL, period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL, token TEXT NOT NULL, UNIQUE (kid, seq), UNIQUE (period_start)
);
"""


class UsageLogError(ValueError):
    """
    What was asked of the log cannot be. ``code`` is stable.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class UsageLog:
    """
    The log of one license in one file, which threads and processes may share.
    """

    def __init__(self, path: str | Path, *, license_sid: str) -> None:
        if not is_name(license_sid):
            raise UsageLogError("LICENSE_INVALID", "the license has no id")
        self._lid = license_sid
        self._lock = Lock()
        try:
            self._db = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise UsageLogError("LOG_UNUSABLE", f"{path}: {error}") from error
        try:
            # EXTRA waits until also the folder is on disk: only then is a commit there after a power cut.
            self._db.execute("PRAGMA synchronous = EXTRA")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._prepare()
        except sqlite3.Error as error:
            self._db.close()
            raise UsageLogError("LOG_UNUSABLE", f"{path}: {error}") from error
        except UsageLogError:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """
        Close the file; nothing is lost without it.
        """
        self._db.close()

    def record(self, meter: str, value: Decimal | int | str, time: int | datetime, id: str) -> bool:  # noqa: A002
        """
        Record one use durably; tell whether it is new. The same ``id`` may be recorded again and counts once.

        :raises UsageLogError: if a part is not allowed, or the id was recorded with other content
        """
        at = seconds(time)
        if not (is_meter(meter) and is_record_id(id) and is_time(at)):
            raise UsageLogError("RECORD_INVALID", f"meter {meter!r}, id {id!r} or time {at} is not allowed")
        try:
            text = amount_text(amount(value))
        except ValueError as error:
            raise UsageLogError("RECORD_INVALID", str(error)) from error
        with self._transaction():
            row = self._db.execute("SELECT meter, time, value FROM records WHERE id = ?", (id,)).fetchone()
            if row is None:
                place = "INSERT INTO records (id, meter, time, value) VALUES (?, ?, ?, ?)"
                self._db.execute(place, (id, meter, at, text))
            elif row != (meter, at, text):
                raise UsageLogError("ID_CONFLICT", f"{id} was recorded with other content")
        return row is None

    def export(
        self, period: Period, *, key: Ed25519PrivateKey, created_at: int | datetime, with_records: bool = False
    ) -> str:
        """
        Give the signed export of a period; once made, it stays the same.

        :raises UsageLogError: if the period is not over, or overlaps another that was exported
        """
        now = seconds(created_at)
        with self._transaction():
            known = "SELECT token FROM exports WHERE (period_start, period_end) = (?, ?)"
            if (row := self._db.execute(known, (period.start, period.end)).fetchone()) is not None:
                return str(row[0])
            self._check_period(period, now)
            return self._new_export(period, key, now, with_records=with_records)

    def exports(self) -> list[str]:
        """
        Give all exports in the order in which they were made.
        """
        with self._transaction():
            return [str(token) for (token,) in self._db.execute("SELECT token FROM exports ORDER BY n")]

    def _prepare(self) -> None:
        with self._transaction():
            for statement in filter(str.strip, _SCHEMA.split(";")):
                self._db.execute(statement)
            self._db.execute("INSERT OR IGNORE INTO log VALUES (1, ?)", (self._lid,))
            (lid,) = self._db.execute("SELECT lid FROM log").fetchone()
            if lid != self._lid:
                raise UsageLogError("LICENSE_MISMATCH", f"the log belongs to license {lid}")

    def _check_period(self, period: Period, now: int) -> None:
        if not 0 <= period.start < period.end:
            raise UsageLogError("PERIOD_INVALID", "the period ends before it starts")
        if now < period.end:
            raise UsageLogError("PERIOD_NOT_OVER", f"the period ends at {period.end}")
        (latest,) = self._db.execute("SELECT max(period_end) FROM exports").fetchone()
        if latest is not None and period.start < latest:
            raise UsageLogError("PERIOD_OVERLAP", f"usage up to {latest} is exported already")

    def _new_export(self, period: Period, key: Ed25519PrivateKey, now: int, *, with_records: bool) -> str:
        kid = key_id(key.public_key())
        # Also what is older than the period: it was recorded after its own period's export.
        chosen = "SELECT id, meter, time, value FROM records WHERE export IS NULL AND time < ? ORDER BY time, n"
        with closing(self._db.execute(chosen, (period.end,))) as rows:
            records = [UsageRecord(id_, meter, time, Decimal(value)) for id_, meter, time, value in rows]
        head = self._head(key, kid)
        claims = _claims(self._lid, period, records, head, now)
        if with_records:
            claims["records"] = [_plain(each) for each in records]
        token = sign(claims, typ=TYPE, kid=kid, key=key)
        insert = "INSERT INTO exports (kid, seq, period_start, period_end, token) VALUES (?, ?, ?, ?, ?)"
        n = self._db.execute(insert, (kid, claims["seq"], period.start, period.end, token)).lastrowid
        self._db.execute("UPDATE records SET export = ? WHERE export IS NULL AND time < ?", (n, period.end))
        return token

    def _head(self, key: Ed25519PrivateKey, kid: str) -> ChainHead | None:
        last = "SELECT token FROM exports WHERE kid = ? ORDER BY seq DESC LIMIT 1"
        row = self._db.execute(last, (kid,)).fetchone()
        return head_of(read_export(row[0], public_jwk(key.public_key()))) if row else None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                raise UsageLogError("LOG_UNUSABLE", str(error)) from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        # A full disk ends a transaction by itself; rolling back what is not open would hide the first error.
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _claims(
    lid: str, period: Period, records: list[UsageRecord], head: ChainHead | None, now: int
) -> dict[str, object]:
    hours = by_hour(records, period)
    before = head.counters if head else {}
    return {
        "lid": lid,
        "seq": head.seq + 1 if head else 1,
        "prev": head.digest if head else None,
        "period": {"start": period.start, "end": period.end},
        "meters": {name: _meter(name, hours, before.get(name)) for name in {*before, *(hour.meter for hour in hours)}},
        "hours": [_plain(hour) for hour in hours],
        "created_at": now,
    }


def _meter(name: str, hours: list[HourUsage], before: tuple[int, Decimal] | None) -> dict[str, object]:
    counter, total = before or (0, Decimal(0))
    count, used = 0, Decimal(0)
    for hour in hours:
        if hour.meter == name:
            count, used = count + hour.count, add(used, hour.sum)
    return {
        "count": count,
        "sum": amount_text(used),
        "counter": counter + count,
        "total": amount_text(add(total, used)),
    }


def _plain(value: HourUsage | UsageRecord) -> dict[str, object]:
    fields = {name: getattr(value, name) for name in value.__dataclass_fields__}
    return {name: amount_text(each) if isinstance(each, Decimal) else each for name, each in fields.items()}
