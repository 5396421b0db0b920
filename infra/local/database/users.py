"""The users of a private server: their passwords, kept beside the data, and the SQL that makes them."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from infra.local.database.endpoint import APPLICATION, DATABASE_NAME, OWNER, Credentials
from infra.local.database.programs import Kind

FILE = "credentials.json"
CREATE_DATABASE = f"CREATE DATABASE IF NOT EXISTS {DATABASE_NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


def load_or_make(home: Path) -> tuple[Credentials, Credentials]:
    """
    Read the owner's and the application's credentials, or choose them once.
    """
    saved = home / FILE
    if not saved.exists():
        saved.touch(mode=0o600)
        saved.write_text(json.dumps({user: secrets.token_urlsafe(24) for user in (OWNER, APPLICATION)}))
    passwords = json.loads(saved.read_text())
    return Credentials(OWNER, passwords[OWNER]), Credentials(APPLICATION, passwords[APPLICATION])


def statements(owner: Credentials, app: Credentials, kind: Kind) -> str:
    """
    Write the SQL that the server runs before it answers anybody: one statement a line, right at every start.

    The application may connect and no more: what it may do with which table is the migrations' to grant.
    """
    lines = [f"{CREATE_DATABASE};"]
    for user in (owner, app):
        lines.append(f"CREATE USER IF NOT EXISTS '{user.username}'@'%' IDENTIFIED BY '{user.password}';")
        lines.append(f"ALTER USER '{user.username}'@'%' IDENTIFIED BY '{user.password}';")
    # The pattern also covers the databases that parallel test workers make beside the first.
    lines.append(f"GRANT ALL PRIVILEGES ON `{DATABASE_NAME}%`.* TO '{owner.username}'@'%' WITH GRANT OPTION;")
    # As Aurora's master user: the migrations make the application's user and renew its rights.
    lines.append(f"GRANT CREATE USER ON *.* TO '{owner.username}'@'%';")
    if kind is Kind.MYSQL:
        # MariaDB's root comes in by the socket alone; MySQL's is made without a password.
        lines.append(f"ALTER USER 'root'@'localhost' IDENTIFIED BY '{secrets.token_urlsafe(24)}';")
    return "\n".join(lines) + "\n"
