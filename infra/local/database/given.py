"""The database that ``DATABASE_URL`` names: used as it is, neither started nor stopped."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pymysql

from infra.local.database.endpoint import DATABASE_NAME, Credentials, DatabaseError, Endpoint

FORM = "mysql://user:password@host:port/name"
DEFAULT_PORT = 3306


def parse_database_url(url: str) -> Endpoint:
    """
    Read a database URL. Its user serves as the owner and as the application.

    :raises DatabaseError: if it is not of the documented form
    """
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in {"mysql", "mariadb"} or not parts.hostname or not parts.username:
        raise DatabaseError(f"DATABASE_URL is not of the form {FORM}")
    user = Credentials(unquote(parts.username), unquote(parts.password or ""))
    name = unquote(parts.path.strip("/")) or DATABASE_NAME
    return Endpoint(host=parts.hostname, port=port, dbname=name, owner=user, app=user)


def given_database(url: str) -> Endpoint:
    """
    Use the database that a URL names, and see that it answers.

    :raises DatabaseError: if it does not answer, or not to this user
    """
    endpoint = parse_database_url(url)
    try:
        endpoint.connect(read_timeout_s=10).close()
    except pymysql.err.MySQLError as error:
        reason = error.args[-1] if error.args else error
        where = f"{endpoint.host}:{endpoint.port}/{endpoint.dbname}"
        raise DatabaseError(f"The database of DATABASE_URL ({where}) does not answer: {reason}") from error
    return endpoint
