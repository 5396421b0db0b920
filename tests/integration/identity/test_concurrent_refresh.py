"""Twenty clients present one refresh token at the same moment, each on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pymysql
import pytest

from keywright.identity import gateway, sessions
from keywright.identity.models import RefreshTokenInvalid, Tokens
from keywright.platform import secrets
from keywright.platform.connection import connect_with
from keywright.platform.db import Row, Transaction
from tests.integration.identity.people import NOW, log_in, rows, verified

pytestmark = pytest.mark.usefixtures("clean_database")

CLIENTS = 20
PATIENCE_S = 60

Attempt = Callable[[], Tokens | RefreshTokenInvalid]


class Unlocked(Transaction):
    """The bug: rows are read without a lock. The clients wait until all have read before one of them writes."""

    together = threading.Barrier(CLIENTS)

    def one(self, query: str, **parameters: object) -> Row | None:
        found = super().one(query.replace("FOR UPDATE", ""), **parameters)
        if "FOR UPDATE" in query:
            self.together.wait(PATIENCE_S)
        return found


def children(kind: type[Transaction], refresh_token: str) -> int:
    """
    Let all clients refresh at once; return how many got tokens.

    :raises pymysql.MySQLError: if one of them got neither tokens nor the error of the contract
    """
    access, credentials, start = gateway.access_tokens(), secrets.read("DATABASE"), threading.Barrier(CLIENTS)

    def attempt(_number: int) -> bool:
        connection = connect_with(credentials)
        try:
            start.wait(PATIENCE_S)
            connection.begin()
            outcome = sessions.refresh(kind(connection), access, refresh_token=refresh_token, now=NOW)
            connection.commit()
        finally:
            connection.close()
        return isinstance(outcome, Tokens)

    with ThreadPoolExecutor(CLIENTS) as clients:
        return sum(clients.map(attempt, range(CLIENTS)))


def test_one_token_has_one_child_however_many_present_it_at_once() -> None:
    verified()
    tokens = log_in()

    assert children(Transaction, tokens.refresh_token) == 1

    assert len(rows("SELECT 1 FROM refresh_tokens")) == 2


def test_reading_without_a_lock_is_caught() -> None:
    verified()
    tokens = log_in()

    # The unique generation is the last line of defense: the others fail on it, in a way that is no answer.
    with pytest.raises(pymysql.MySQLError):
        children(Unlocked, tokens.refresh_token)
