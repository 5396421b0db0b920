"""
How a connection to Aurora MySQL (or any MySQL) is made, and which of its errors mean what.

Nothing is set per session beyond the handshake: RDS Proxy would pin the connection. Isolation (READ COMMITTED), time
zone and SQL mode are the server's own settings.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pymysql
from pymysql.constants import CLIENT, FIELD_TYPE
from pymysql.converters import conversions, convert_datetime
from pymysql.cursors import DictCursor

from keywright.platform import secrets
from keywright.platform.errors import DatabaseUnavailable

_CONNECT_TIMEOUT_S = 3
# Below the shortest function timeout, so that a stuck server gives a clean 503 and not a killed container.
_ANSWER_TIMEOUT_S = 8

# 1020 is MariaDB's snapshot conflict; 1205 a lock wait that ran out; 1213 a deadlock.
_RETRYABLE = frozenset({1020, 1205, 1213})
# 1040 too many connections; 1053 shutdown; 1290, 1792, 1836 read-only after a failover; 2003-2055 the client's
# own codes for lines that cannot be opened or have broken; 0 a connection that is closed already.
_LOST = frozenset({0, 1040, 1053, 1290, 1792, 1836, 1927, 2002, 2003, 2006, 2013, 2055})
# 1267 is MariaDB's word for it (ER_CANT_AGGREGATE_2COLLATIONS), 3854 MySQL's (ER_CANNOT_CONVERT_STRING).
_FOREIGN_TEXT = frozenset({1267, 3854})


class CredentialsRefused(DatabaseUnavailable):
    """The server does not take our password (1045); to callers it is as good as away."""


def connect() -> pymysql.connections.Connection[Any]:
    """
    Open the container's connection with the credentials of the secret ``DATABASE``.

    Credentials that are refused may just have been rotated: they are read anew, once.

    :raises DatabaseUnavailable: if the server cannot be reached or refuses us
    """
    try:
        return connect_with(secrets.read("DATABASE"))
    except CredentialsRefused:
        secrets.forget()
        return connect_with(secrets.read("DATABASE"))


def connect_with(
    credentials: dict[str, Any], *, answer_timeout_s: int = _ANSWER_TIMEOUT_S
) -> pymysql.connections.Connection[Any]:
    """
    Open a connection with ``{host, port, username, password, dbname, tls?}``; ``tls`` is on unless ``"off"``.

    :raises DatabaseUnavailable: if the server cannot be reached
    """
    try:
        return pymysql.connect(
            host=credentials["host"],
            port=int(credentials["port"]),
            user=credentials["username"],
            password=credentials["password"],
            database=credentials["dbname"],
            charset="utf8mb4",
            collation="utf8mb4_bin",
            cursorclass=DictCursor,
            autocommit=False,
            # An UPDATE that changes nothing must still report the row it found: fences count rows.
            client_flag=CLIENT.FOUND_ROWS,
            conv=_converters(),
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=answer_timeout_s,
            write_timeout=answer_timeout_s,
            **transport(credentials),
        )
    except (pymysql.OperationalError, OSError) as problem:
        refused = isinstance(problem, pymysql.MySQLError) and _code(problem) == 1045  # noqa: PLR2004
        kind = CredentialsRefused if refused else DatabaseUnavailable
        raise kind("The database does not answer. Try again.") from problem


def is_retryable(problem: pymysql.MySQLError) -> bool:
    """Tell whether running the whole transaction again may succeed on the same connection."""
    return _code(problem) in _RETRYABLE


def is_lost(problem: pymysql.MySQLError) -> bool:
    """Tell whether the connection must not be used again."""
    return _code(problem) in _LOST


def is_retryable_error(problem: BaseException) -> bool:
    """Tell whether any error at all is one of the server's after which the transaction may be run again."""
    return isinstance(problem, pymysql.MySQLError) and is_retryable(problem)


def is_lost_error(problem: BaseException) -> bool:
    """Tell whether any error at all is one of the server's after which another connection is needed."""
    return isinstance(problem, pymysql.MySQLError) and is_lost(problem)


def is_duplicate(problem: pymysql.MySQLError, *, key: str) -> bool:
    """Tell whether a write ran into the unique key; MySQL prefixes its name with the table, MariaDB does not."""
    return _code(problem) == 1062 and key in str(problem.args[1])  # noqa: PLR2004  (ER_DUP_ENTRY)


def is_foreign_text(problem: pymysql.MySQLError) -> bool:
    """Tell whether a column was compared with text outside its character set, which equals none of its values."""
    return _code(problem) in _FOREIGN_TEXT


def _code(problem: pymysql.MySQLError) -> int:
    return int(problem.args[0]) if problem.args and isinstance(problem.args[0], int) else -1


def transport(credentials: dict[str, Any]) -> dict[str, Any]:
    """Return what makes the driver insist on TLS, where left alone it would do without if the server has none."""
    return {"ssl_disabled": True} if str(credentials.get("tls", "on")) == "off" else {"ssl": _tls_context()}


@lru_cache
def _tls_context() -> ssl.SSLContext:
    # Building a context costs tens of milliseconds. The server stands in our own VPC under a certificate of AWS's
    # private authority, which the runtime does not carry: encrypted, reached by security group, not verified by name.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache
def _converters() -> dict[Any, Any]:
    return {
        **conversions,
        FIELD_TYPE.DATETIME: _aware,
        FIELD_TYPE.TIMESTAMP: _aware,
        datetime: _utc_literal,
    }


def _aware(value: str) -> datetime:
    moment = convert_datetime(value)
    if not isinstance(moment, datetime):
        raise TypeError(f"The database gave a time that is none: {value!r}")
    return moment.replace(tzinfo=UTC)


def _utc_literal(moment: datetime, _mapping: object = None) -> str:
    if moment.tzinfo is None:
        raise TypeError("A naive datetime must not reach the database.")
    return f"'{moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ', timespec='microseconds')}'"
