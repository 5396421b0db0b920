from __future__ import annotations

import json
from datetime import timedelta

import pytest

from keywright.identity import accounts
from keywright.identity.models import EmailNotVerified, EmailTaken, MailTokenInvalid, Role
from keywright.platform import db
from tests.integration.identity.people import (
    NOW,
    PASSWORD,
    audited,
    log_in,
    mail_token,
    rows,
    run,
    sign_up,
    verified,
    who,
)

pytestmark = pytest.mark.usefixtures("clean_database")


def verify(token: str, *, later: timedelta = timedelta(0)) -> None:
    db.transact(lambda tx: accounts.verify_email(tx, token=token, now=NOW + later))


def test_signing_up_makes_a_user_the_customer_they_own_and_a_mail_job() -> None:
    user_sid = sign_up("Ada@Example.com", name="Ada")

    (user,) = rows("SELECT * FROM users")
    (customer,) = rows("SELECT c.*, member_role FROM customers c JOIN customer_members m USING (customer_sid)")
    (job,) = rows("SELECT kind, payload FROM jobs")
    assert (user["email"], user["role"], user["email_verified_at"]) == ("ada@example.com", "USER", None)
    assert (customer["kind"], customer["member_role"], customer["name"]) == ("PERSON", "OWNER", "Ada")
    assert (job["kind"], json.loads(job["payload"])) == ("identity.send-verification", {"user_sid": user_sid})
    assert audited() == ["USER_REGISTERED", "CUSTOMER_CREATED", "MEMBER_ADDED"]


def test_a_token_from_the_mail_proves_the_address_once() -> None:
    token = mail_token(sign_up())

    verify(token)

    with pytest.raises(MailTokenInvalid):
        verify(token)
    assert audited().count("EMAIL_VERIFIED") == 1


def test_a_proven_address_has_stripe_told_about_the_customer_once() -> None:
    verified()

    (customer,) = rows("SELECT customer_sid FROM customers")
    (job,) = rows("SELECT job_key, payload FROM jobs WHERE kind = 'customers.create-stripe-customer'")
    assert json.loads(job["payload"]) == {"customer_sid": customer["customer_sid"]}
    assert job["job_key"] == f"customers.create-stripe-customer:{customer['customer_sid']}"


@pytest.mark.parametrize(("later", "good"), [(timedelta(hours=23, minutes=59), True), (timedelta(hours=24), False)])
def test_a_token_lives_for_a_day(*, later: timedelta, good: bool) -> None:
    token = mail_token(sign_up())

    try:
        verify(token, later=later)
        proven = True
    except MailTokenInvalid:
        proven = False

    assert proven is good


def test_only_the_newest_mail_counts() -> None:
    user_sid = sign_up()
    older, newer = mail_token(user_sid), mail_token(user_sid)

    with pytest.raises(MailTokenInvalid):
        verify(older)

    verify(newer)


def test_no_mail_is_prepared_for_a_proven_address() -> None:
    user_sid = verified()

    assert db.transact(lambda tx: accounts.begin_verification(tx, user_sid=user_sid, now=NOW)) is None


def test_the_table_holds_no_token_that_could_be_used() -> None:
    token = mail_token(sign_up())

    (row,) = rows("SELECT token_hash FROM mail_tokens")

    assert token.encode() not in row["token_hash"]
    with pytest.raises(MailTokenInvalid):
        verify(row["token_hash"].hex())


def test_a_token_proves_only_the_address_that_it_was_sent_to() -> None:
    token = mail_token(sign_up())
    run("UPDATE users SET email = 'other@example.com'")

    with pytest.raises(MailTokenInvalid):
        verify(token)

    assert rows("SELECT email_verified_at FROM users")[0]["email_verified_at"] is None


def test_signing_up_with_a_proven_address_changes_nothing() -> None:
    verified()
    before = rows("SELECT * FROM users"), rows("SELECT * FROM customers"), audited()

    user_sid = sign_up(name="Eve", password="another password entirely")

    assert (rows("SELECT * FROM users"), rows("SELECT * FROM customers"), audited()) == before
    (told,) = rows("SELECT payload FROM jobs WHERE kind = 'identity.send-notice'")
    assert json.loads(told["payload"]) == {
        "notice": "ALREADY_REGISTERED",
        "user_sid": user_sid,
        "email": "ada@example.com",
    }
    assert who(log_in()).email == "ada@example.com"


def test_the_last_of_two_sign_ups_counts_while_the_address_is_unproven() -> None:
    old_token = mail_token(sign_up(name="Eve", password="the password of somebody else"))

    user_sid = sign_up(name="Ada", now=NOW + timedelta(minutes=5))

    with pytest.raises(MailTokenInvalid):
        verify(old_token)
    verify(mail_token(user_sid))
    assert who(log_in()).user_sid == user_sid
    assert [row["name"] for row in rows("SELECT name FROM users UNION ALL SELECT name FROM customers")] == ["Ada"] * 2
    assert len(rows("SELECT 1 FROM jobs WHERE kind = 'identity.send-verification'")) == 2


def test_an_unproven_address_cannot_log_in() -> None:
    sign_up()

    with pytest.raises(EmailNotVerified):
        log_in()


def test_the_operator_makes_a_manager_who_can_log_in_at_once() -> None:
    password_hash = accounts.accept_password(PASSWORD)

    def create() -> str:
        return db.transact(
            lambda tx: accounts.create_manager(
                tx, email="boss@example.com", password_hash=password_hash, name="Boss", now=NOW
            )
        )

    user_sid = create()

    caller = who(log_in("boss@example.com"))
    assert (caller.user_sid, caller.role, caller.is_staff) == (user_sid, Role.MANAGER, True)
    assert "MANAGER_CREATED" in audited()
    with pytest.raises(EmailTaken):
        create()
