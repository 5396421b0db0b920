"""
A hundred clients present one refresh token at the same moment, twenty times over, each on a connection of its own.

Inside the grace window all of them get the same child and nobody is thrown out; outside of it the whole family is dead.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from keywright.identity import gateway, rules, sessions
from keywright.identity.models import RefreshTokenInvalid, Tokens
from keywright.platform import secrets
from keywright.platform.connection import connect_with
from keywright.platform.db import Row, Transaction
from tests.integration.identity.people import NOW, ORIGIN, log_in, rows, verified, who

pytestmark = pytest.mark.usefixtures("clean_database")

CLIENTS = 100
ROUNDS = 20
PATIENCE_S = 120


class Unlocked(Transaction):
    """The bug: rows are read without a lock. The clients wait until all have read before one of them writes."""

    together = threading.Barrier(CLIENTS)

    def one(self, query: str, **parameters: object) -> Row | None:
        found = super().one(query.replace("FOR UPDATE", ""), **parameters)
        if "FOR UPDATE" in query:
            self.together.wait(PATIENCE_S)
        return found


def _connect() -> Any:
    """Open a connection that waits for its turn: the last of a hundred has a long one on a slow machine."""
    connection = connect_with(secrets.read("DATABASE"), answer_timeout_s=PATIENCE_S)
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = %s", (PATIENCE_S,))
    return connection


class Clients:
    """A hundred connections, and a thread for each."""

    def __init__(self, kind: type[Transaction] = Transaction, *, grace: timedelta = rules.REFRESH_GRACE) -> None:
        self._access, self._kind, self._grace = gateway.access_tokens(), kind, grace
        self._connections = [_connect() for _ in range(CLIENTS)]
        self._start = threading.Barrier(CLIENTS)

    def refresh(self, refresh_token: str, *, now: datetime = NOW) -> list[Tokens | RefreshTokenInvalid | Exception]:
        """Let all present the token at once; return what each of them got."""

        def attempt(number: int) -> Tokens | RefreshTokenInvalid | Exception:
            connection = self._connections[number]
            self._start.wait(PATIENCE_S)
            connection.begin()
            try:
                outcome = sessions.refresh(
                    self._kind(connection),
                    self._access,
                    refresh_token=refresh_token,
                    origin=ORIGIN,
                    grace=self._grace,
                    now=now,
                )
                connection.commit()
            except Exception as problem:  # noqa: BLE001  (whatever a client gets is what the test looks at)
                connection.rollback()
                return problem
            return outcome

        with ThreadPoolExecutor(CLIENTS) as threads:
            return list(threads.map(attempt, range(CLIENTS)))

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


def test_a_hundred_refreshes_at_once_have_one_child_and_throw_nobody_out() -> None:
    verified()
    tokens, clients = log_in(), Clients()

    try:
        for turn in range(ROUNDS):
            outcomes = clients.refresh(tokens.refresh_token, now=NOW + timedelta(minutes=turn))
            children = {outcome.refresh_token for outcome in outcomes if isinstance(outcome, Tokens)}
            assert [outcome for outcome in outcomes if not isinstance(outcome, Tokens)] == []
            assert len(children) == 1
            tokens = Tokens(outcomes[0].access_token, children.pop())  # type: ignore[union-attr]  # all are tokens
    finally:
        clients.close()

    assert len(rows("SELECT 1 FROM refresh_tokens")) == ROUNDS + 1
    assert rows("SELECT revoke_reason FROM sessions") == [{"revoke_reason": None}]
    assert who(tokens, now=NOW + timedelta(minutes=ROUNDS)).email == "ada@example.com"


def late_findings(clients: Clients) -> list[str]:
    """Let all replay a spent token just after the window; return what is not as it must be: the family ended, once."""
    first = log_in()
    try:
        clients.refresh(first.refresh_token)
        outcomes = clients.refresh(first.refresh_token, now=NOW + rules.REFRESH_GRACE + timedelta(microseconds=1))
    finally:
        clients.close()
    found = {
        "outcomes": {type(outcome) for outcome in outcomes} == {RefreshTokenInvalid},
        "revoked": rows("SELECT revoke_reason FROM sessions") == [{"revoke_reason": "REPLAYED"}],
        "audited": len(rows("SELECT 1 FROM audit_log WHERE action = 'SESSION_REVOKED'")) == 1,
        "mailed": len(rows("SELECT 1 FROM jobs WHERE kind = 'identity.send-notice'")) == 1,
    }
    return [name for name, is_right in found.items() if not is_right]


def window_findings(clients: Clients) -> list[str]:
    """Let all present a token at the last moment of its window; return what is not as it must be: nobody thrown out."""
    first = log_in()
    try:
        clients.refresh(first.refresh_token)
        outcomes = clients.refresh(first.refresh_token, now=NOW + rules.REFRESH_GRACE)
    finally:
        clients.close()
    found = {
        "outcomes": {type(outcome) for outcome in outcomes} == {Tokens},
        "revoked": rows("SELECT revoke_reason FROM sessions") == [{"revoke_reason": None}],
    }
    return [name for name, is_right in found.items() if not is_right]


def test_a_hundred_replays_outside_the_window_end_the_family_once() -> None:
    verified()

    assert late_findings(Clients()) == []


def test_a_hundred_repetitions_at_the_end_of_the_window_throw_nobody_out() -> None:
    verified()

    assert window_findings(Clients()) == []


def test_a_window_that_never_closes_is_caught() -> None:
    verified()

    assert late_findings(Clients(grace=timedelta(days=1))) == ["outcomes", "revoked", "audited", "mailed"]


def test_a_window_that_never_opens_is_caught() -> None:
    verified()

    assert window_findings(Clients(grace=timedelta(microseconds=-1))) == ["outcomes", "revoked"]


def test_reading_without_a_lock_is_caught() -> None:
    verified()
    tokens, clients = log_in(), Clients(Unlocked)

    try:
        outcomes = clients.refresh(tokens.refresh_token)
    finally:
        clients.close()

    # The unique generation is the last line of defense: the others fail on it, in a way that is no answer.
    assert [outcome for outcome in outcomes if not isinstance(outcome, Tokens)] != []
