"""
Two customers that know nothing of each other, written straight into the tables, and everybody who might knock.

Rows are made by SQL and not by the services, because the world is made anew after every request that changed it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pymysql.cursors import DictCursor

from keywright.identity import gateway, passwords
from keywright.identity.models import Caller, Role
from keywright.platform import clock
from keywright.platform.connection import connect_with
from tests.conftest import Database
from tests.security import agreements, belongings
from tests.security.targets import CANARY, sid

PASSWORD = "correct horse battery staple"
STATES = ("live", "deactivated", "revoked", "expired", "idle")

# The two columns that say nothing of anybody's business, and the tables that merely count.
_COUNTERS = frozenset({"throttles", "idempotency_records", "known_networks"})


@dataclass(frozen=True)
class Identity:
    """Somebody who sends requests: with a role and a state, or with a token that is none."""

    name: str
    role: Role | None
    state: str

    @property
    def user_sid(self) -> str:
        return f"usr_{self.name}"

    @property
    def is_live(self) -> bool:
        return self.state == "live"


USERS = [Identity(f"{role.lower()}-{state}", role, state) for role in Role for state in STATES]
STRANGERS = [Identity("anon", None, "anon"), Identity("garbage", None, "garbage"), Identity("license", None, "license")]


@lru_cache
def password_hash() -> str:
    return passwords.hash_password(PASSWORD)


def token(identity: Identity, *, now: datetime) -> str | None:
    """Return what the identity sends as its access token."""
    if identity.role is None:
        return {"anon": None, "garbage": "garbage", "license": "eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.AAAA"}[identity.state]
    issued = now - timedelta(minutes=20) if identity.state == "expired" else now
    caller = Caller(identity.user_sid, "cus_own", f"ses_{identity.name}", identity.role, f"{identity.name}@example.com")
    return gateway.access_tokens().issue(caller, now=issued)


def make(database: Database) -> None:
    """Empty the database and write the world into it."""
    database.empty()
    now = clock.now()
    with _cursor(database) as cursor:
        cursor.execute("SET FOREIGN_KEY_CHECKS = 0")
        for table, rows in _rows(now):
            names = list(rows[0])
            marks = ", ".join(["%s"] * len(names))
            statement = f"INSERT INTO `{table}` ({', '.join(names)}) VALUES ({marks})"
            cursor.executemany(statement, [tuple(row.values()) for row in rows])


def fingerprint(database: Database) -> dict[str, Any]:
    """Return a checksum of each table that holds somebody's business."""
    with _cursor(database) as cursor:
        cursor.execute("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()")
        names = sorted(row["name"] for row in cursor.fetchall())
        tables = [name for name in names if name not in _COUNTERS and "yoyo" not in name]
        cursor.execute("CHECKSUM TABLE " + ", ".join(f"`{name}`" for name in tables))
        return {row["Table"]: row["Checksum"] for row in cursor.fetchall()}


@contextmanager
def _cursor(database: Database) -> Iterator[DictCursor]:
    connection = connect_with(database.endpoint.secret(database.endpoint.owner))
    try:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()
    finally:
        connection.close()


def _rows(now: datetime) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    people = [(user.user_sid, user.role, user.state != "deactivated", user.name) for user in USERS]
    people += [("usr_own", Role.USER, True, "peer"), ("usr_foreign", Role.USER, True, CANARY)]
    yield (
        "users",
        [
            {
                "user_sid": user_sid,
                "email": f"{name}@example.com",
                "email_verified_at": now,
                "name": name,
                "password_hash": password_hash(),
                "role": role,
                "active": int(active),
                "created_at": now,
            }
            for user_sid, role, active, name in people
        ],
    )
    yield from _customers(now)
    yield from _sessions(now)
    yield from belongings.rows(now, invited=[user.name for user in USERS])
    yield from agreements.rows(now)


def _customers(now: datetime) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    names = {"own": "own", "foreign": CANARY}
    yield (
        "customers",
        [
            {
                "customer_sid": sid("cus", target),
                "kind": "COMPANY",
                "name": name,
                "billing_email": f"{name}@example.com",
                "created_at": now,
            }
            for target, name in names.items()
        ],
    )
    members = [("cus_own", user.user_sid, "OWNER") for user in USERS]
    members += [("cus_own", "usr_own", "MEMBER"), ("cus_foreign", "usr_foreign", "OWNER")]
    columns = ("customer_sid", "user_sid", "member_role")
    yield ("customer_members", [dict(zip(columns, member, strict=True)) | {"created_at": now} for member in members])


def _sessions(now: datetime) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    sessions = [(f"ses_{user.name}", user.user_sid, "cus_own", user.state) for user in USERS]
    sessions += [(f"ses_own_{user.name}", user.user_sid, "cus_own", "live") for user in USERS]
    sessions += [("ses_foreign", "usr_foreign", "cus_foreign", "live")]
    yield (
        "sessions",
        [
            {
                "session_sid": session_sid,
                "user_sid": user_sid,
                "customer_sid": customer_sid,
                "user_agent": "a browser",
                "address": "192.0.2.7",
                "created_at": now,
                "last_used_at": now - timedelta(days=8) if state == "idle" else now,
                "expires_at": now + timedelta(days=20),
                "revoked_at": now if state == "revoked" else None,
                "revoke_reason": "REVOKED" if state == "revoked" else None,
            }
            for session_sid, user_sid, customer_sid, state in sessions
        ],
    )
