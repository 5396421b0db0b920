"""Nobody can find out who has an account: the answers are the same bytes, and cost the same work."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from keywright.identity import accounts, logins, notices, repository
from keywright.identity.models import CredentialsInvalid, Notice, User
from keywright.platform import clock, db
from tests.api import Answer, Api
from tests.functions.test_auth import comparable
from tests.integration.identity.people import NOW, ORIGIN, PASSWORD, rows, run, sign_up, verified
from tests.security.work import counted

pytestmark = pytest.mark.usefixtures("clean_database")

ASKED = [
    ("/v1/auth/login", {"password": "a wrong password"}),
    ("/v1/auth/register", {"password": PASSWORD, "name": "Ada"}),
    ("/v1/auth/password/forgot", {}),
    ("/v1/auth/verify-email/resend", {}),
]


def people() -> list[str]:
    """Return addresses in every state: proven, unproven, deactivated, unknown."""
    verified("known@example.com", now=clock.now())
    verified("gone@example.com", now=clock.now())
    sign_up("unproven@example.com", now=clock.now())
    run("UPDATE users SET active = 0 WHERE email = 'gone@example.com'")
    return ["known@example.com", "gone@example.com", "unproven@example.com", "nobody@example.com"]


def asked(call: Api, path: str, body: dict[str, Any], email: str) -> tuple[Answer, Counter[str]]:
    with counted() as work:
        answer = call("auth", "POST", path, body={**body, "email": email})
    return answer, work


@pytest.mark.parametrize(("path", "body"), ASKED)
def test_the_answers_are_the_same_bytes_and_cost_the_same_hashes_and_writes(
    call: Api, path: str, body: dict[str, Any]
) -> None:
    emails = people()
    # The first call of a process opens connections and imports.
    asked(call, path, body, "first@example.com")

    answers, works = zip(*(asked(call, path, body, email) for email in emails), strict=True)

    assert all(comparable(answer) == comparable(answers[0]) for answer in answers)
    assert len({(work["hashes"], work["commits"], work["messages"]) for work in works}) == 1


@pytest.mark.parametrize(("path", "body"), ASKED)
def test_even_the_statements_are_as_many(call: Api, path: str, body: dict[str, Any]) -> None:
    emails = people()
    asked(call, path, body, "first@example.com")

    works = [asked(call, path, body, email)[1]["statements"] for email in emails]

    assert len(set(works)) == 1


def test_a_registration_that_stops_at_a_taken_address_is_caught() -> None:
    verified()
    password_hash = accounts.accept_password(PASSWORD)

    def forthright(tx: db.Transaction, *, email: str) -> None:
        owner = repository.find_user_by_email(tx, email=email)
        if owner is not None:
            notices.request(tx, Notice.ALREADY_REGISTERED, user=owner, now=NOW)
            return
        accounts.register(tx, email=email, password_hash=password_hash, name="Ada", now=NOW)

    def sound(tx: db.Transaction, *, email: str) -> None:
        accounts.register(tx, email=email, password_hash=password_hash, name="Ada", now=NOW)

    def statements(register: Any, emails: tuple[str, str]) -> list[int]:
        found = []
        for email in emails:
            with counted() as work:
                db.transact(lambda tx, email=email: register(tx, email=email))  # type: ignore[misc]  # one parameter
            found.append(work["statements"])
        return found

    known, unknown = statements(sound, ("ada@example.com", "nobody@example.com"))
    stopped, went_on = statements(forthright, ("ada@example.com", "noone@example.com"))
    assert known == unknown
    assert stopped < went_on


def test_what_was_made_for_a_taken_address_is_nowhere() -> None:
    verified()
    password_hash = accounts.accept_password(PASSWORD)
    before = [rows(f"SELECT * FROM {table}") for table in ("users", "customers", "customer_members", "audit_log")]

    db.transact(
        lambda tx: accounts.register(tx, email="ada@example.com", password_hash=password_hash, name="Eve", now=NOW)
    )

    after = [rows(f"SELECT * FROM {table}") for table in ("users", "customers", "customer_members", "audit_log")]
    assert after == before


def test_a_login_that_skips_the_hash_for_strangers_is_caught() -> None:
    verified()

    def begin(email: str) -> logins.Attempt:
        return db.transact(lambda tx: logins.begin(tx, email=email, origin=ORIGIN, now=NOW))

    def impatient(attempt: logins.Attempt, password: str) -> User:
        if attempt.user is None:
            raise CredentialsInvalid("The e-mail address or the password is wrong.")
        return logins.check_password(attempt, password)

    hashes = []
    for email in ("ada@example.com", "nobody@example.com"):
        with counted() as work:
            attempt = begin(email)
            with pytest.raises(CredentialsInvalid):
                impatient(attempt, "a wrong password")
        hashes.append(work["hashes"])

    assert hashes == [1, 0]
