"""
What a token says is a hint: role, deactivation, revocation and age are looked up at every request.

The saboteurs read the same rows through eyes that do not see one of these things.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from keywright.identity import gateway, rules, service
from keywright.identity.models import Caller, Role, Tokens
from keywright.platform import db
from keywright.platform.db import Row, Transaction
from keywright.platform.errors import Forbidden, Unauthenticated
from tests.integration.identity.people import NOW, log_in, run, verified

pytestmark = pytest.mark.usefixtures("clean_database")

Eyes = Callable[[Row], Row]
STAFF_ROUTE = "GET /v1/users"


class Seeing(Transaction):
    """A transaction whose rows of users and sessions go through somebody's eyes first."""

    eyes: Eyes

    def one(self, query: str, **parameters: object) -> Row | None:
        row = super().one(query, **parameters)
        return None if row is None else self.eyes(row)


def clear(row: Row) -> Row:
    return row


def blind_to_deactivation(row: Row) -> Row:
    return {**row, "active": 1} if "active" in row else row


def blind_to_revocation(row: Row) -> Row:
    return {**row, "revoked_at": None} if "revoked_at" in row else row


def blind_to_idleness(row: Row) -> Row:
    return {**row, "last_used_at": row["expires_at"]} if "last_used_at" in row else row


def blind_to_age(row: Row) -> Row:
    return {**row, "expires_at": row["expires_at"] + timedelta(days=3650)} if "expires_at" in row else row


def blind_to_role(row: Row) -> Row:
    return {**row, "role": Role.MANAGER} if "role" in row else row


def is_admitted(eyes: Eyes, tokens: Tokens) -> bool:
    """Ask for a route of staff's with a token that was good for it when it was issued."""

    def ask(tx: Transaction) -> Caller:
        seeing = Seeing(tx._connection)
        seeing.eyes = eyes
        return service.admit(
            seeing,
            gateway.access_tokens(),
            route=STAFF_ROUTE,
            bearer=tokens.access_token,
            now=NOW + timedelta(minutes=5),
        )

    try:
        db.transact(ask)
    except (Unauthenticated, Forbidden):
        return False
    return True


CHANGES = {
    "the user was deactivated": "UPDATE users SET active = 0",
    "the user is no manager any more": "UPDATE users SET role = 'USER'",
    "the session was revoked": "UPDATE sessions SET revoked_at = created_at, revoke_reason = 'REVOKED'",
    "the session was idle": "UPDATE sessions SET last_used_at = created_at - INTERVAL 8 DAY",
    "the session is too old": "UPDATE sessions SET created_at = created_at - INTERVAL 40 DAY, expires_at = %(now)s",
}


def admitted_after(eyes: Eyes) -> list[str]:
    """Return after which changes a MANAGER's token still opens a door, where it must not."""
    wrong = []
    for what, change in CHANGES.items():
        run("UPDATE users SET role = 'MANAGER', active = 1")
        tokens = log_in()
        if not is_admitted(eyes, tokens):
            wrong.append("nothing happened, and nobody is admitted")
        run(change, now=NOW + timedelta(minutes=1))
        if is_admitted(eyes, tokens):
            wrong.append(what)
        run("UPDATE sessions SET revoked_at = created_at, revoke_reason = 'REVOKED' WHERE revoked_at IS NULL")
    return wrong


def test_whatever_changes_bites_at_the_next_request() -> None:
    verified()

    assert admitted_after(clear) == []


@pytest.mark.parametrize(
    ("eyes", "missed"),
    [
        (blind_to_deactivation, "the user was deactivated"),
        (blind_to_role, "the user is no manager any more"),
        (blind_to_revocation, "the session was revoked"),
        (blind_to_idleness, "the session was idle"),
        (blind_to_age, "the session is too old"),
    ],
)
def test_a_check_that_does_not_look_is_caught(eyes: Eyes, missed: str) -> None:
    verified()

    assert admitted_after(eyes) == [missed]


def test_the_lifetimes_are_what_was_promised() -> None:
    assert (timedelta(days=7), timedelta(days=30)) == (rules.SESSION_IDLE_LIMIT, rules.SESSION_LIFETIME)
