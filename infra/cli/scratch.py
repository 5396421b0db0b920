"""
A database beside the deployment's, made for one command and dropped by it, in which stored events are folded again.

It begins with what Stripe does not tell: customers, domains, checkouts as they were opened, and what was decided on
licenses. Nothing leaves it: the fold's hints are never sent, and its jobs are never run.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from keywright.platform import migrations
from keywright.platform import secrets as kept_secrets
from keywright.platform.connection import connect_with
from keywright.platform.db import Row, Transaction

Credentials = dict[str, Any]
Result = TypeVar("Result")

_GIVEN = (
    "customers",
    "domains",
    "checkout_sessions",
    "license_causes",
    "license_editions",
    "revocation_lists",
)
_BATCH = 500
# What Stripe told of a checkout; before that it was open, or never reached Stripe.
_UNTOLD = {"state": "OPEN", "payment_status": None, "subscription_id": None, "payment_intent_id": None}
# Without its key none of them keeps another one from being open.
_UNTOLD |= {"observed_at": None, "observed_by": None, "idempotency_key": None, "payment_failed_at": None}


class NotEmpty(OSError):
    """The database that was named for the replay holds tables already."""


class Database:
    """One connection, and transactions on it; what a transaction would do after its commit is left undone."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self._connection = connect_with(credentials, answer_timeout_s=280)

    def transact(self, work: Callable[[Transaction], Result]) -> Result:
        """Run the work in one transaction and commit."""
        self._connection.begin()
        try:
            result = work(Transaction(self._connection))
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()
        return result

    def read(self, query: str, **parameters: object) -> list[Row]:
        """Return every row of a query."""
        return self.transact(lambda tx: tx.all(query, **parameters))

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table that are stored as given."""
        query = (
            "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE()"
            " AND table_name = %(table)s AND extra NOT LIKE '%%GENERATED%%' ORDER BY ordinal_position"
        )
        return [row["name"] for row in self.read(query, table=table)]

    def tables(self) -> list[str]:
        """Return the tables of the schema, but for the migrations' own books."""
        query = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
        return sorted(row["name"] for row in self.read(query) if "yoyo" not in row["name"])

    def empty(self) -> None:
        """Empty every table; TRUNCATE passes by the triggers that keep append-only tables."""
        with self._connection.cursor() as cursor:
            cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
            for table in self.tables():
                cursor.execute(f"TRUNCATE TABLE `{table}`")
            cursor.execute("SET FOREIGN_KEY_CHECKS = 1")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def snapshot(self, read: Callable[[Transaction], Result]) -> Result:
        """Read everything as it was at one moment, whatever others write meanwhile."""
        with self._connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return self.transact(read)


@contextmanager
def source() -> Iterator[Database]:
    """Open the deployment's own database, to be read only."""
    database = Database(kept_secrets.read("DATABASE"))
    try:
        yield database
    finally:
        database.close()


def prefix(owner: Credentials) -> str:
    """Return how the names begin of what is made beside a database; several may have theirs on one server."""
    return f"{owner['dbname']}_replay_"


@contextmanager
def scratch(url: str | None) -> Iterator[Database]:
    """
    Make a database with our schema and drop it afterwards; one that was named by ``url`` is filled and stays.

    :raises NotEmpty: if the named one holds anything
    """
    owner = kept_secrets.read("DATABASE_OWNER") if url is None else _credentials(url)
    name = f"{prefix(owner)}{secrets.token_hex(4)}" if url is None else str(owner["dbname"])
    if url is None:
        _on_server(owner, f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    database = None
    try:
        database = Database({**owner, "dbname": name})
        if database.tables():
            raise NotEmpty(f"The database {name} is not empty: name one that is.")
        migrations.migrate(database.credentials, database.credentials)
        yield database
    finally:
        if database is not None:
            database.close()
        if url is None:
            _on_server(owner, f"DROP DATABASE `{name}`")


def begin_anew(database: Database, ours: Database) -> None:
    """Empty the scratch database and put in what Stripe does not tell."""
    database.empty()
    # What was decided on licenses is there before the fold has made them again.
    database.read("SET FOREIGN_KEY_CHECKS = 0")
    for table in _GIVEN:
        _copy(ours, database, table)
    database.read("SET FOREIGN_KEY_CHECKS = 1")


def _copy(ours: Database, database: Database, table: str) -> None:
    columns = [column for column in ours.columns(table) if column != "updated_at"]
    rows = [_untold(table, row) for row in ours.read(f"SELECT {', '.join(columns)} FROM {table}")]  # noqa: S608  (names from the schema)
    values = ", ".join(f"%({column})s" for column in columns)
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608  (names from the schema)
    for start in range(0, len(rows), _BATCH):
        database.transact(lambda tx, part=rows[start : start + _BATCH]: tx.run_many(insert, part))  # type: ignore[misc]


def _untold(table: str, row: Row) -> Row:
    if table != "checkout_sessions" or row["stripe_session_id"] is None:
        return row
    return {**row, **{name: value for name, value in _UNTOLD.items() if name in row}}


def _on_server(owner: Credentials, statement: str) -> None:
    connection = connect_with(owner)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()


def _credentials(url: str) -> Credentials:
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    if not re.fullmatch(r"\w+", name) or parts.hostname is None:
        raise NotEmpty("A database is named as mysql://user:password@host:port/name.")
    return {
        "host": parts.hostname,
        "port": parts.port or 3306,
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": name,
        "tls": "off" if parts.hostname in {"127.0.0.1", "localhost"} else "on",
    }
