"""``keywright manager create``: the first MANAGER cannot be made over HTTP, because nobody could permit it."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from keywright.identity import accounts
from keywright.platform import clock, db
from keywright.platform.db import Transaction

_GENERATED_BYTES = 18
_LONGEST_NAME = 200


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Describe the commands of this area."""
    commands = parser.add_subparsers(required=True, metavar="command")
    create = commands.add_parser("create", help="make a manager whose address needs no verification")
    create.add_argument("--email", required=True)
    create.add_argument("--name", required=True, type=_name)
    create.add_argument(
        "--password-file",
        metavar="FILE",
        help="read the password from the first line of a file, or of standard input (-); "
        "without it one is generated and printed",
    )
    create.set_defaults(run=_create)


def _create(arguments: argparse.Namespace) -> None:
    given = arguments.password_file
    password = secrets.token_urlsafe(_GENERATED_BYTES) if given is None else _read_password(given)
    password_hash, now = accounts.accept_password(password), clock.now()

    def work(tx: Transaction) -> str:
        return accounts.create_manager(
            tx, email=arguments.email, password_hash=password_hash, name=arguments.name, now=now
        )

    print(f"manager: {db.transact(work)}")
    if given is None:
        print(f"password: {password}")


def _name(text: str) -> str:
    if not 1 <= len(name := text.strip()) <= _LONGEST_NAME or not name.isprintable():
        raise argparse.ArgumentTypeError(f"a name has 1 to {_LONGEST_NAME} printable characters")
    return name


def _read_password(file: str) -> str:
    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    return text.split("\n", 1)[0].removesuffix("\r")
