from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keywright.identity import gateway, sessions
from keywright.identity.models import AccessTokenInvalid, CredentialsInvalid, RefreshTokenInvalid, Role, Tokens
from keywright.platform import db
from tests.integration.identity.people import NOW, ORIGIN, PASSWORD, audited, log_in, refresh, rows, run, verified, who

pytestmark = pytest.mark.usefixtures("clean_database")


def test_logging_in_opens_a_session() -> None:
    user_sid = verified()

    caller = who(log_in("ADA@example.com"))

    (session,) = rows("SELECT * FROM sessions")
    assert (caller.user_sid, caller.role, caller.email) == (user_sid, Role.USER, "ada@example.com")
    assert (caller.session_sid, caller.customer_sid) == (session["session_sid"], session["customer_sid"])
    assert (session["user_agent"], session["address"]) == ("a browser", "127.0.0.1")
    assert audited()[-1] == "SESSION_OPENED"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "wrong horse battery staple"),
        ("ada@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("no address", PASSWORD),
    ],
)
def test_wrong_credentials_open_no_session(email: str, password: str) -> None:
    verified()

    with pytest.raises(CredentialsInvalid):
        log_in(email, password=password)

    assert rows("SELECT 1 FROM sessions") == []


def test_a_deactivated_user_is_as_good_as_unknown() -> None:
    verified()
    run("UPDATE users SET active = 0")

    with pytest.raises(CredentialsInvalid):
        log_in()


def test_an_outdated_hash_is_renewed_at_login() -> None:
    verified()
    weak = Argon2id(salt=b"0123456789abcdef", length=32, iterations=1, lanes=1, memory_cost=64)
    run("UPDATE users SET password_hash = %(weak)s", weak=weak.derive_phc_encoded(PASSWORD.encode()))

    log_in()

    assert "m=19456,t=2,p=1" in rows("SELECT password_hash FROM users")[0]["password_hash"]
    assert who(log_in()).email == "ada@example.com"


def test_every_refresh_gives_the_next_token_of_the_same_session() -> None:
    verified()
    first = log_in()

    second = refresh(first)
    third = refresh(second, now=NOW + timedelta(days=6))

    assert who(first).session_sid == who(third, now=NOW + timedelta(days=6)).session_sid
    assert [row["generation"] for row in rows("SELECT generation FROM refresh_tokens ORDER BY 1")] == [1, 2, 3]


def test_a_replayed_refresh_token_ends_the_session_for_everybody() -> None:
    verified()
    first = log_in()
    second = refresh(first)

    with pytest.raises(RefreshTokenInvalid):
        refresh(first, now=NOW + timedelta(seconds=10.1))

    with pytest.raises(RefreshTokenInvalid):
        refresh(second)
    with pytest.raises(AccessTokenInvalid):
        who(second)
    assert [row["revoke_reason"] for row in rows("SELECT revoke_reason FROM sessions")] == ["REPLAYED"]
    assert audited().count("SESSION_REVOKED") == 1


def test_an_unknown_refresh_token_harms_nobody() -> None:
    verified()
    tokens = log_in()

    with pytest.raises(RefreshTokenInvalid):
        refresh(Tokens("", "made-up"))

    assert who(refresh(tokens)).email == "ada@example.com"


def test_a_session_that_was_idle_for_a_week_is_over() -> None:
    verified()
    tokens = log_in()

    with pytest.raises(RefreshTokenInvalid):
        refresh(tokens, now=NOW + timedelta(days=7))


def test_a_session_is_over_after_thirty_days_however_busy_it_is() -> None:
    verified()
    tokens = log_in()
    for day in range(6, 30, 6):
        tokens = refresh(tokens, now=NOW + timedelta(days=day))

    with pytest.raises(RefreshTokenInvalid):
        refresh(tokens, now=NOW + timedelta(days=30))


def test_logging_out_ends_both_tokens_at_once_and_no_other_session() -> None:
    verified()
    here, there = log_in(), log_in()
    caller = who(here)

    db.transact(lambda tx: sessions.logout(tx, caller, now=NOW))

    with pytest.raises(AccessTokenInvalid):
        who(here)
    with pytest.raises(RefreshTokenInvalid):
        refresh(here)
    assert who(there).user_sid == caller.user_sid


def test_a_deactivated_user_is_out_at_once() -> None:
    verified()
    tokens = log_in()
    run("UPDATE users SET active = 0")

    with pytest.raises(AccessTokenInvalid):
        who(tokens)
    with pytest.raises(RefreshTokenInvalid):
        refresh(tokens)


def test_the_role_comes_from_the_database_and_not_from_the_token() -> None:
    verified()
    tokens = log_in()

    run("UPDATE users SET role = 'ADMIN'")

    assert who(tokens).role is Role.ADMIN


def test_a_token_for_another_user_or_customer_than_its_session_is_refused() -> None:
    verified()
    verified("eve@example.com")
    tokens = log_in()
    run(
        "UPDATE sessions SET"
        " customer_sid = (SELECT customer_sid FROM customers WHERE billing_email = 'eve@example.com'),"
        " user_sid = (SELECT user_sid FROM users WHERE email = 'eve@example.com')"
    )

    with pytest.raises(AccessTokenInvalid):
        who(tokens)


def test_the_table_holds_no_refresh_token_that_could_be_used() -> None:
    verified()
    tokens = log_in()

    (row,) = rows("SELECT token_hash FROM refresh_tokens")

    assert len(tokens.refresh_token) == 64
    assert tokens.refresh_token.encode() not in row["token_hash"]


class Died(Exception):
    """The container was killed at this point."""


def test_a_refresh_that_died_before_its_commit_has_not_happened_and_one_that_died_after_it_can_be_repeated() -> None:
    verified()
    first, access = log_in(), gateway.access_tokens()
    given: list[Tokens] = []

    def die(tx: db.Transaction) -> None:
        outcome = sessions.refresh(tx, access, refresh_token=first.refresh_token, origin=ORIGIN, now=NOW)
        assert isinstance(outcome, Tokens)
        given.append(outcome)
        raise Died

    with pytest.raises(Died):
        db.transact(die)
    unanswered = refresh(first)
    repeated = refresh(first, now=NOW + timedelta(seconds=9))

    assert unanswered.refresh_token == repeated.refresh_token != given[0].refresh_token
    assert [row["generation"] for row in rows("SELECT generation FROM refresh_tokens ORDER BY 1")] == [1, 2]
    assert who(repeated).email == "ada@example.com"
    with pytest.raises(RefreshTokenInvalid):
        refresh(given[0])
