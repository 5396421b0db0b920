"""Where a database answers, and as whom: the values that Secrets Manager will hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pymysql

from infra.local.trouble import Trouble

DATABASE_NAME = "keywright"
OWNER = "keywright_owner"
APPLICATION = "keywright_app"

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class DatabaseError(Trouble):
    """No database can be had."""


@dataclass(frozen=True)
class Credentials:
    """A database user."""

    username: str
    password: str


@dataclass(frozen=True)
class Endpoint:
    """A database and its two users: the owner of the schema, and the application."""

    host: str
    port: int
    dbname: str
    owner: Credentials
    app: Credentials

    def secret(self, credentials: Credentials) -> dict[str, Any]:
        """
        Shape a user's credentials as the functions read them from Secrets Manager.
        """
        return {
            "host": self.host,
            "port": self.port,
            "username": credentials.username,
            "password": credentials.password,
            "dbname": self.dbname,
            # On loopback TLS costs more than everything else, so a server on it goes without.
            "tls": "off" if self.is_on_loopback else "on",
        }

    @property
    def is_on_loopback(self) -> bool:
        """True where nobody is on the line to listen."""
        return self.host in _LOOPBACK

    @property
    def url(self) -> str:
        """
        The owner's URL, for a person's client and for ``DATABASE_URL``.
        """
        user, password = quote(self.owner.username, safe=""), quote(self.owner.password, safe="")
        return f"mysql://{user}:{password}@{self.host}:{self.port}/{quote(self.dbname, safe='')}"

    def connect(self, *, timeout_s: int = 5, read_timeout_s: int | None = None) -> pymysql.connections.Connection[Any]:
        """
        Connect as the owner.
        """
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.owner.username,
            password=self.owner.password,
            database=self.dbname,
            connect_timeout=timeout_s,
            read_timeout=read_timeout_s,
            autocommit=True,
            charset="utf8mb4",
            ssl_disabled=self.is_on_loopback,
        )
