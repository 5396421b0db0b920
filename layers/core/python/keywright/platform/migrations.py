"""
Brings the schema up to date with yoyo, and gives the application user exactly the rights it needs.

The history is one line of numbered SQL files that only grows. Each file must leave old code working with the new
schema, because migrations run before the new code takes traffic.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymysql
from pymysql.cursors import DictCursor
from yoyo import read_migrations
from yoyo.backends.core.mysql import MySQLBackend
from yoyo.connections import parse_uri
from yoyo.migrations import default_migration_table

from keywright.platform.connection import connect_with, transport
from keywright.platform.errors import DatabaseUnavailable

HISTORY = Path(__file__).parents[3] / "migrations"
"""Beside ``python/`` in the layer: ``/opt/migrations`` on Lambda."""

APPEND_ONLY = frozenset(
    {
        "audit_heads",
        "audit_log",
        "audit_seals",
        "contract_invoice_lines",
        "contract_subscription_changes",
        "license_editions",
        "license_files",
        "plan_versions",
        "revocation_lists",
        "stripe_events",
        "usage_events",
    }
)
"""The application may add to these and read them, and nothing else."""

# A statement that rewrites a large table takes longer than any request may.
_ANSWER_TIMEOUT_S = 280
_LOCK_TIMEOUT_S = 120
# A paused Aurora cluster takes some fifteen seconds to wake.
_WAKE_ATTEMPTS = 12
_WAKE_PAUSE_S = 5

_BOOKKEEPING = ("_yoyo", "yoyo_")


class MigrationLocked(DatabaseUnavailable):
    """Another migration is running."""

    code = "migration-locked"
    title = "Another migration is running"


def migrate(owner: dict[str, Any], application: dict[str, Any]) -> list[str]:
    """
    Apply what is missing, as the schema's owner; then create the application user and renew its grants.

    Both are credentials as ``connection.connect_with`` takes them. Return the names of the migrations applied.

    :raises MigrationLocked: if another run does not end in time
    :raises DatabaseUnavailable: if the server does not wake
    """
    with _one_at_a_time(owner) as cursor:
        applied = _apply(owner)
        # Where one user plays both parts, it has its rights from elsewhere.
        if application["username"] != owner["username"]:
            _grant(cursor, application)
    return applied


def _apply(owner: dict[str, Any]) -> list[str]:
    logging.getLogger("yoyo").setLevel(logging.WARNING)
    backend = backend_for(owner)
    try:
        missing = backend.to_apply(read_migrations(str(HISTORY)))
        backend.apply_migrations(missing)
    finally:
        backend.connection.close()
    return [migration.id for migration in missing]


def backend_for(owner: dict[str, Any]) -> MySQLBackend:
    """
    Return the library's connection, which insists on TLS as all others do.

    :raises pymysql.OperationalError: if the server has none and the credentials want it
    """
    backend = _Backend(owner)
    backend.init_database()
    return backend


class _Backend(MySQLBackend):  # type: ignore[misc]
    """The library's own takes an address, and what an address says of TLS ends as a wish."""

    def __init__(self, owner: dict[str, Any]) -> None:
        self._owner = owner
        super().__init__(parse_uri(_address(owner)), default_migration_table)

    def copy(self) -> _Backend:
        """Each migration is applied over a connection of its own."""
        return _Backend(self._owner)

    def connect(self, _address: Any) -> pymysql.connections.Connection[Any]:
        return pymysql.connect(
            host=self._owner["host"],
            port=int(self._owner["port"]),
            user=self._owner["username"],
            password=self._owner["password"],
            database=self._owner["dbname"],
            **transport(self._owner),
        )


@contextmanager
def _one_at_a_time(owner: dict[str, Any]) -> Iterator[DictCursor]:
    """Hold a lock that the server lets go of when we die; the library's own lock would stay behind."""
    connection = _wake(owner)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK('keywright-migrate', %s) AS held", (_LOCK_TIMEOUT_S,))
            if cursor.fetchone()["held"] != 1:
                raise MigrationLocked("Another migration did not end in time.")
            yield cursor
    finally:
        connection.close()


def _wake(owner: dict[str, Any]) -> Any:
    for attempt in range(_WAKE_ATTEMPTS):
        try:
            return connect_with(owner, answer_timeout_s=_ANSWER_TIMEOUT_S)
        except DatabaseUnavailable:
            if attempt == _WAKE_ATTEMPTS - 1:
                raise
            time.sleep(_WAKE_PAUSE_S)
    raise AssertionError("unreachable")


def _address(owner: dict[str, Any]) -> str:
    password, user = quote(owner["password"], safe=""), quote(owner["username"], safe="")
    return f"mysql://{user}:{password}@{owner['host']}:{owner['port']}/{owner['dbname']}"


def _grant(cursor: DictCursor, application: dict[str, Any]) -> None:
    user = (application["username"], application["password"])
    cursor.execute("CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s", user)
    cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", user)
    cursor.execute("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()")
    for table in sorted(str(row["name"]) for row in cursor.fetchall()):
        if not table.startswith(_BOOKKEEPING):
            rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
            cursor.execute(f"GRANT {rights} ON `{table}` TO %s@'%%'", (application["username"],))
        if table in APPEND_ONLY:
            # Code before this one, to which a deployment went back, may have taken it for a table like others.
            cursor.execute(f"REVOKE UPDATE, DELETE ON `{table}` FROM %s@'%%'", (application["username"],))
