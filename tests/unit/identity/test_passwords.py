from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keywright.identity import passwords


@pytest.mark.parametrize("password", ["correct horse battery staple", "пароль-пароль", "nul\x00inside", "x" * 1024])
def test_a_password_matches_its_hash_exactly_as_it_was_given(password: str) -> None:
    password_hash = passwords.hash_password(password)

    assert passwords.matches(password, password_hash)
    assert not passwords.matches(password + " ", password_hash)
    assert not passwords.matches(password[:-1], password_hash)


def test_the_same_password_never_gives_the_same_hash() -> None:
    assert passwords.hash_password("correct horse") != passwords.hash_password("correct horse")


def test_nobody_has_a_password() -> None:
    assert not passwords.matches("correct horse", None)


def test_checking_nobody_costs_what_checking_somebody_costs() -> None:
    somebody = passwords.hash_password("correct horse")

    assert passwords._NOBODY.split("$")[:4] == somebody.split("$")[:4]


@pytest.mark.parametrize(
    ("memory", "iterations", "outdated"), [(19456, 2, False), (8192, 2, True), (19456, 1, True), (32768, 3, False)]
)
def test_a_hash_made_with_less_work_is_outdated(*, memory: int, iterations: int, outdated: bool) -> None:
    argon2 = Argon2id(salt=b"0123456789abcdef", length=32, iterations=iterations, lanes=1, memory_cost=memory)

    assert passwords.is_outdated(argon2.derive_phc_encoded(b"correct horse")) is outdated
