"""A database of one's own on a server that is somebody else's: made for one test run, and dropped after it."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import replace

from infra.local.database.endpoint import Credentials, Endpoint
from infra.local.database.given import given_database


@contextlib.contextmanager
def borrowed_database(url: str) -> Iterator[Endpoint]:
    """
    Make a database beside the one that the URL names; its user must be allowed to, and to make other users.

    :raises DatabaseError: if the server does not answer
    """
    lender = given_database(url)
    name = f"keywright_tests_{secrets.token_hex(4)}"
    application = Credentials(f"{name}_app", secrets.token_urlsafe(16))
    with contextlib.closing(lender.connect(read_timeout_s=60)) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        try:
            yield replace(lender, dbname=name, app=application)
        finally:
            # The run may have outlasted the server's patience with a line that says nothing.
            connection.ping()
            cursor.execute(f"DROP DATABASE `{name}`")
            cursor.execute("DROP USER IF EXISTS %s@'%%'", (application.username,))
