from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.identity import rules
from keywright.identity.common_passwords import _WORDS, COMMON_PASSWORDS, is_common
from keywright.identity.models import EmailInvalid, PasswordUnacceptable, Session
from tests.unit.identity.conftest import NOW


@pytest.mark.parametrize(
    ("given_address", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada.Lovelace+x@EXAMPLE.Com ", "ada.lovelace+x@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_stored_in_one_form(given_address: str, stored: str) -> None:
    assert rules.normalize_email(given_address) == stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@[127.0.0.1]",
        "a b@example.com",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "ädä@example.com",
        "a" * 250 + "@example.com",
    ],
)
def test_what_is_no_address_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(EmailInvalid) as refusal:
        rules.normalize_email(text)

    assert [wrong.field for wrong in refusal.value.errors] == ["body.email"]


@pytest.mark.parametrize("password", ["seven77", "", "a" * 1025, "é" * 513, "password123", "PassWord123", "qwertyuiop"])
def test_a_weak_or_endless_password_is_refused(password: str) -> None:
    with pytest.raises(PasswordUnacceptable):
        rules.check_password(password)


@given(st.text(min_size=8, max_size=250).filter(lambda text: not is_common(text)))
def test_any_other_password_will_do_whatever_its_characters(password: str) -> None:
    assert rules.check_password(password) is None  # type: ignore[func-returns-value]  # it raises or says nothing


@pytest.mark.parametrize(
    "password",
    [
        "Password2026",
        "P4$$w0rd!!",
        "2026-Welcome!",
        "!!Summer2026",
        "KeyWright1234",
        "zyxwvutsrq",
        "23456789",
        "abababababab",
        "!!!!!!!!!!",
        "Qwertyuiopa",
    ],
)
def test_a_common_password_in_disguise_is_refused(password: str) -> None:
    with pytest.raises(PasswordUnacceptable):
        rules.check_password(password)


@pytest.mark.parametrize(
    "password", ["correct horse", "welcome to the machine", "password8f3Kd92j", "summer rain 41", "x9$kLm2!qZ"]
)
def test_a_password_of_ones_own_is_taken_though_it_holds_a_common_word(password: str) -> None:
    assert not is_common(password)


def test_more_passwords_are_refused_than_guessing_can_try_in_a_year() -> None:
    around = [
        f"{before}{after}" for before in ("", "!", "1") for after in "1 12 123 1234 ! 01 99 007 2024 2025 2026".split()
    ]
    refused = {f"{word}{mark}" for word in _WORDS for mark in around if len(word + mark) >= 8}

    assert len(refused) > 3000
    assert [password for password in refused if not is_common(password)] == []


def test_the_common_passwords_could_be_chosen_if_they_were_not_listed() -> None:
    assert len(COMMON_PASSWORDS) >= 100
    assert [word for word in COMMON_PASSWORDS if len(word) < 8 or word != word.lower()] == []


@pytest.mark.parametrize(
    ("age", "idle", "revoked", "live"),
    [
        (timedelta(0), timedelta(0), False, True),
        (timedelta(days=29), timedelta(days=6, hours=23), False, True),
        (timedelta(days=29), timedelta(days=7), False, False),
        (timedelta(days=30), timedelta(0), False, False),
        (timedelta(0), timedelta(0), True, False),
    ],
)
def test_a_session_ends_when_idle_when_old_and_when_revoked(
    *, age: timedelta, idle: timedelta, revoked: bool, live: bool
) -> None:
    session = Session(
        session_sid="ses_1",
        user_sid="usr_1",
        customer_sid="cus_1",
        last_used_at=NOW - idle,
        expires_at=NOW - age + rules.SESSION_LIFETIME,
        revoked_at=NOW if revoked else None,
    )

    assert rules.is_live(session, now=NOW) is live


def test_the_verification_mail_holds_a_link_and_a_token_that_a_script_can_find() -> None:
    mail = rules.verification_mail(
        to="ada@example.com", name="Ada <b>", token="tok-EN_1", portal_url="https://portal.example.com/"
    )

    assert mail.to == "ada@example.com"
    assert re.search(r"Your verification token is (\S+)", mail.text)[1] == "tok-EN_1"  # type: ignore[index]
    assert "https://portal.example.com/verify-email?token=tok-EN_1" in mail.text
    assert "Ada &lt;b&gt;" in mail.html
