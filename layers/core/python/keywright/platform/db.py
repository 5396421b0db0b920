"""
The database: one PyMySQL connection per thread, and transactions that are opened in functions only.

A transaction is given as a function of ``tx``, because it must be possible to run it again as a whole: MySQL ends one
side of a deadlock (1213) or of a long lock wait (1205), and only the whole transaction may be repeated, never a
statement. So the function must do nothing but read, decide and write rows; what follows from it goes into
``tx.after_commit``.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pymysql

from keywright.platform import log
from keywright.platform.connection import connect, is_duplicate, is_foreign_text, is_lost, is_retryable
from keywright.platform.errors import DatabaseUnavailable

Result = TypeVar("Result")
Row = dict[str, Any]

_ATTEMPTS = 4
# Half of what MariaDB takes in one packet by default, and an eighth of MySQL's.
_LONGEST_STATEMENT = 8 * 1024 * 1024


class _Held(threading.local):
    """A function has one thread; a long-running worker has a second one, which keeps its leases."""

    connection: pymysql.connections.Connection[Any] | None = None


_held = _Held()


class Transaction:
    """
    A running transaction. Parameters are named: ``tx.one(sql.find_user, email=…)``.

    ``correlation_id`` ties the rows written here to the request, message or job that caused them.
    """

    def __init__(self, connection: pymysql.connections.Connection[Any], correlation_id: str | None = None) -> None:
        self._connection = connection
        self.correlation_id = correlation_id
        self.committed: list[Callable[[], None]] = []

    def continues(self, correlation_id: str) -> None:
        """Go on in the name of what came before: a request of long ago, whose end was just read here."""
        self.correlation_id = correlation_id
        log.bind(correlation_id=correlation_id)

    def one(self, query: str, **parameters: object) -> Row | None:
        """Return the only row, or None."""
        rows = self.all(query, **parameters)
        return rows[0] if rows else None

    def all(self, query: str, **parameters: object) -> list[Row]:
        """Return every row; none where a text was looked for that an ASCII column cannot hold."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query, parameters)
                return list(cursor.fetchall())
        except pymysql.OperationalError as problem:
            if is_foreign_text(problem):
                return []
            raise

    def run(self, query: str, **parameters: object) -> int:
        """Execute a write; return how many rows it found (not only changed: the connection says FOUND_ROWS)."""
        with self._connection.cursor() as cursor:
            return int(cursor.execute(query, parameters))

    def insert_new(self, query: str, *, unique_key: str, **parameters: object) -> bool:
        """Insert a row unless one with this unique key is there; tell whether it was inserted."""
        try:
            self.run(query, **parameters)
        except pymysql.IntegrityError as problem:
            if is_duplicate(problem, key=unique_key):
                return False
            raise
        return True

    def run_many(self, query: str, rows: list[Row]) -> None:
        """Execute a write for each row of parameters; PyMySQL folds an INSERT … VALUES into few statements."""
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(query, rows)

    def insert_all_new(self, query: str, rows: list[Row], *, unique_key: str) -> bool:
        """Insert all of the rows in one statement, or none if one of them is there; tell whether they were inserted."""
        try:
            with self._connection.cursor() as cursor:
                # Two statements would not be one: the first could stand where the second fails.
                cursor.max_stmt_length = _LONGEST_STATEMENT
                cursor.executemany(query, rows)
        except pymysql.IntegrityError as problem:
            if is_duplicate(problem, key=unique_key):
                return False
            raise
        return True

    def attempt(self, work: Callable[[], bool]) -> bool:
        """Run a part of the transaction that is undone unless it returns True; return what it does."""
        announced = len(self.committed)
        self.run("SAVEPOINT attempt")
        succeeded = work()
        self.run("RELEASE SAVEPOINT attempt" if succeeded else "ROLLBACK TO SAVEPOINT attempt")
        if not succeeded:
            del self.committed[announced:]
        return succeeded

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call the action once the transaction is durable. It may fail without harm: a row stands behind it."""
        self.committed.append(action)


def transact(work: Callable[[Transaction], Result]) -> Result:
    """
    Run ``work`` in one transaction and commit; roll back on any exception.

    :raises DatabaseUnavailable: if the server cannot be reached, is shutting down or has become read-only
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            tx, result = _attempt(work)
        except pymysql.MySQLError as problem:
            if is_lost(problem):
                raise DatabaseUnavailable("The database does not answer. Try again.") from problem
            if not is_retryable(problem) or attempt == _ATTEMPTS:
                raise
            log.info("transaction repeated", attempt=attempt, reason=str(problem.args[0]))
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  (spreads contenders, keeps no secret)
        else:
            _follow_up(tx)
            return result
    raise AssertionError("unreachable")


def discard() -> None:
    """Close this thread's connection; the next transaction opens another."""
    if _held.connection is not None and _held.connection.open:
        _held.connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001  (no farewell over a broken line)
    _held.connection = None


def _attempt(work: Callable[[Transaction], Result]) -> tuple[Transaction, Result]:
    connection = _begin()
    tx = Transaction(connection, log.correlation_id())
    try:
        result = work(tx)
        connection.commit()
    except BaseException as problem:
        _roll_back(connection, problem)
        raise
    return tx, result


def _follow_up(tx: Transaction) -> None:
    """Do what follows from a transaction that is durable. Whatever goes wrong here, it must not run again."""
    for action in tx.committed:
        try:
            action()
        except Exception as problem:  # noqa: BLE001  (the caller's work is done; the dispatcher finds the row)
            log.error("the action after a commit failed", kind=type(problem).__name__)


def _begin() -> pymysql.connections.Connection[Any]:
    """Open a transaction. BEGIN doubles as the ping: a connection that died while we were frozen is replaced."""
    if _held.connection is not None:
        try:
            _held.connection.begin()
        except (pymysql.MySQLError, OSError):
            discard()
        else:
            return _held.connection
    _held.connection = connect()
    _held.connection.begin()
    return _held.connection


def _roll_back(connection: pymysql.connections.Connection[Any], problem: BaseException) -> None:
    """Leave nothing open: after an error that puts the connection in doubt it is thrown away."""
    if isinstance(problem, pymysql.MySQLError) and is_lost(problem):
        discard()
        return
    try:
        connection.rollback()
    except pymysql.MySQLError:
        discard()
