"""The operator's command, in the environment of a function, on the real database."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.cli.commands import main
from keywright.identity.models import Role
from tests.integration.identity.people import PASSWORD, audited, log_in, rows, who

pytestmark = pytest.mark.usefixtures("clean_database")

CREATE = ["manager", "create", "--email", "boss@example.com", "--name", "Boss"]


def test_a_manager_is_made_with_a_password_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(CREATE)

    printed = re.fullmatch(r"manager: (usr_\S+)\npassword: (\S{24})\n", capsys.readouterr().out)
    assert status == 0
    assert printed is not None
    caller = who(log_in("boss@example.com", password=printed[2]))
    assert (caller.user_sid, caller.role) == (printed[1], Role.MANAGER)
    assert audited()[0] == "MANAGER_CREATED"


def test_a_password_from_a_file_is_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")

    status = main([*CREATE, "--password-file", str(file)])

    assert status == 0
    assert PASSWORD not in capsys.readouterr().out
    assert who(log_in("boss@example.com")).is_staff


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--email", "nowhere"], "email: "),
        (["--password-file", "/dev/null"], "password: A password has at least 8 bytes."),
        (["--password-file", "/no/such/file"], "/no/such/file"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main([*CREATE, *arguments])

    assert status == 1
    assert said in capsys.readouterr().err
    assert rows("SELECT 1 FROM users") == []


def test_an_address_is_taken_once(capsys: pytest.CaptureFixture[str]) -> None:
    main(CREATE)

    status = main(CREATE)

    assert status == 1
    assert "boss@example.com" in capsys.readouterr().err
