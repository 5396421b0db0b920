"""A table to play with, owned like the application's own, and a second connection to stand in the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pymysql
import pytest

from keywright.platform import db
from keywright.platform.connection import connect
from keywright.platform.db import Transaction
from tests.conftest import Database

BALANCE = "SELECT balance FROM accounts WHERE name = %(name)s"
DEPOSIT = "UPDATE accounts SET balance = balance + %(amount)s WHERE name = %(name)s"
OPEN = "INSERT INTO accounts (name, balance) VALUES (%(name)s, %(balance)s)"


@pytest.fixture(scope="module")
def accounts_table(database: Database) -> Iterator[None]:
    database.execute(
        "CREATE TABLE accounts (name VARCHAR(20) NOT NULL, balance INT NOT NULL, seen_at DATETIME(6) NULL,"
        " PRIMARY KEY (name), UNIQUE KEY uq_accounts_seen (seen_at)) ENGINE = InnoDB"
    )
    grantee = database.endpoint.app.username
    if grantee != database.endpoint.owner.username:
        database.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON accounts TO '{grantee}'@'%'")
    yield
    database.execute("DROP TABLE accounts")


@pytest.fixture
def accounts(accounts_table: None) -> Iterator[None]:
    """Two accounts, ``a`` and ``b``, that hold 100 each."""

    def begin(tx: Transaction) -> None:
        tx.run("DELETE FROM accounts")
        tx.run_many(OPEN, [{"name": "a", "balance": 100}, {"name": "b", "balance": 100}])

    db.transact(begin)
    yield
    db.discard()


@pytest.fixture
def rival(accounts: None) -> Iterator[pymysql.connections.Connection[Any]]:
    """Another container's connection."""
    connection = connect()
    yield connection
    connection.close()


def balance(name: str = "a") -> int:
    row = db.transact(lambda tx: tx.one(BALANCE, name=name))
    assert row is not None
    return int(row["balance"])


def execute(connection: pymysql.connections.Connection[Any], statement: str, **parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
