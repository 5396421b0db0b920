"""
Two customers that know nothing of each other, written straight into the tables, and everybody who might knock.

Rows are made by SQL and not by the services, because the world is made anew after every request that changed it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymysql.cursors import DictCursor

from keywright.identity import gateway, passwords
from keywright.identity.models import Caller, Role
from keywright.platform import clock
from keywright.platform.connection import connect_with
from keywright_verify.challenge import new_challenge
from tests.conftest import Database
from tests.security import agreements

PASSWORD = "correct horse battery staple"
CANARY = "canary-of-the-victim"
TARGETS = ("own", "foreign", "absent")
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


CHALLENGE = new_challenge(Ed25519PrivateKey.generate(), fingerprint="fp1_of_the_machine")


def license_file(target: str) -> str:
    """Return the license file of a row of the world; nobody has really signed it."""
    claims = {
        "lid": sid("lic", target),
        "seq": 1,
        "nbf": 1_780_000_000,
        "exp": 1_900_000_000,
        "grace_until": 1_900_000_000,
        "enforcement": "grace",
        "limits": {},
        "customer": CANARY if target == "foreign" else target,
    }
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({}, claims)]
    return ".".join([*parts, CANARY if target == "foreign" else target])


@lru_cache
def password_hash() -> str:
    return passwords.hash_password(PASSWORD)


def sid(kind: str, target: str) -> str:
    """Name a row of the world: ``dom_own``, ``dom_foreign``, and ``dom_absent``, which is not there."""
    return f"{kind}_{target}"


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


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


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
    yield from _belongings(now)
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


def _belongings(now: datetime) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    pairs = [("own", "own.example.com"), ("foreign", f"{CANARY}.example.com")]
    common = {"created_at": now}
    yield (
        "products",
        [
            {
                "product_id": product_id,
                "name": "A product",
                "active": 1,
                "product_family": "self_hosted",
                "fee_structure": "recurring",
                "usage_based": "false",
                "air_gapped": "false",
                "metadata": "{}",
                "observed_at": now,
                **common,
            }
            for product_id in ("prod_1", "prod_2", "prod_3")
        ],
    )
    yield ("prices", [_price(now)])
    owned = [({"customer_sid": sid("cus", target), "domain_sid": sid("dom", target)}, name) for target, name in pairs]
    yield (
        "domains",
        [
            {**owner, "domain_name": name, "state": "PENDING", "verification_token": name, **common}
            for owner, name in owned
        ],
    )
    yield (
        "checkout_sessions",
        [
            {
                "checkout_session_sid": owner["domain_sid"].replace("dom", "chk"),
                **owner,
                "price_id": "price_1",
                "quantity": 1,
                "mode": "payment",
                "amount_minor": 100,
                "currency": "usd",
                "state": "CREATING",
                **common,
            }
            for owner, _ in owned
        ],
    )
    yield (
        "licenses",
        [
            {
                "license_sid": owner["domain_sid"].replace("dom", "lic"),
                **owner,
                "source_kind": "CHECKOUT_SESSION",
                "source_id": owner["domain_sid"],
                "product_id": "prod_1",
                "kind": "AIR_GAPPED",
                "state": "ACTIVE",
                "current_seq": 1,
                "expires_at": now + timedelta(days=30),
                **common,
            }
            for owner, _ in owned
        ],
    )
    yield (
        "license_files",
        [
            {
                "license_sid": owner["domain_sid"].replace("dom", "lic"),
                "seq": 1,
                "kid": sid("kid", target),
                "token": license_file(target),
                "expires_at": now + timedelta(days=30),
                "issued_at": now,
            }
            for owner, target in [(owner, owner["domain_sid"].removeprefix("dom_")) for owner, _ in owned]
        ],
    )
    yield (
        "license_activations",
        [
            {
                "activation_sid": sid("act", target),
                "license_sid": sid("lic", target),
                "fingerprint": name,
                "activated_at": now,
                "seen_at": now,
            }
            for target, name in pairs
        ],
    )
    yield from _billed(now, owned)
    yield ("invitations", list(_invitations(now)))
    yield ("jobs", [_dead_job(target, now) for target in ("own", "foreign")])
    yield from _dead_events(now)


def _price(now: datetime) -> dict[str, Any]:
    return {
        "price_id": "price_1",
        "product_id": "prod_1",
        "active": 1,
        "currency": "usd",
        "kind": "recurring",
        "recurring_interval": "month",
        "interval_count": 1,
        "usage_type": "licensed",
        "billing_scheme": "per_unit",
        "unit_amount": 4900,
        "observed_at": now,
        "created_at": now,
    }


def _billed(now: datetime, owned: list[tuple[dict[str, str], str]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    named = [(owner, name, owner["domain_sid"].removeprefix("dom_")) for owner, name in owned]
    seen = {"created_at": now, "observed_at": now, "observed_by": "evt_1"}
    subscriptions = [
        {**owner, "subscription_id": sid("sub", target), "status": "active", "cancel_at_period_end": 0, **seen}
        for owner, _, target in named
    ]
    yield ("subscriptions", subscriptions)
    period = {"current_period_start": now, "current_period_end": now + timedelta(days=30)}
    items = [
        {
            "item_id": sid("si", target),
            "subscription_id": sid("sub", target),
            "price_id": "price_1",
            "quantity": 1,
            **period,
        }
        for _, _, target in named
    ]
    yield ("subscription_items", items)
    amounts = {"currency": "usd", "amount_due": 4900, "amount_paid": 4900, "total": 4900, "attempt_count": 1}
    invoices = [
        {
            "customer_sid": owner["customer_sid"],
            "invoice_id": sid("in", target),
            "invoice_number": name,
            "status": "paid",
            **amounts,
            **seen,
        }
        for owner, name, target in named
    ]
    yield ("invoices", invoices)


def _dead_job(target: str, now: datetime) -> dict[str, Any]:
    return {
        "job_sid": sid("job", target),
        "job_key": target,
        "kind": "jobs.prune",
        "payload": "{}",
        "state": "DEAD",
        "max_attempts": 1,
        "due_at": now,
        "finished_at": now,
        "created_at": now,
    }


def _dead_events(now: datetime) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    ids = [sid("evt", target) for target in ("own", "foreign")]
    event = {"event_type": "product.updated", "object_id": "prod_1", "livemode": 0, "body": b"{}"}
    work = {"state": "DEAD", "reason": "KeyError", "due_at": now}
    yield ("stripe_events", [{"event_id": each, **event, "created_at": now, "received_at": now} for each in ids])
    yield ("stripe_event_work", [{"event_id": each, **work, "created_at": now} for each in ids])


def _invitations(now: datetime) -> Iterator[dict[str, Any]]:
    invited = [("inv_own", "cus_own", "guest@example.com"), ("inv_foreign", "cus_foreign", f"{CANARY}@example.com")]
    invited += [(f"inv_{user.name}", "cus_foreign", f"{user.name}@example.com") for user in USERS]
    for invitation_sid, customer_sid, email in invited:
        yield {
            "invitation_sid": invitation_sid,
            "customer_sid": customer_sid,
            "email": email,
            "member_role": "MEMBER",
            "invited_by": "usr_own",
            "token_hash": digest(f"token-of-{invitation_sid}"),
            "state": "OPEN",
            "created_at": now,
            "expires_at": now + timedelta(days=7),
        }
