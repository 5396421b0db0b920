"""Rows of ``users`` and ``mail_tokens``. Sessions have a module of their own."""

from __future__ import annotations

from datetime import datetime

from keywright.identity.models import Role, TokenPurpose, User
from keywright.platform import sql
from keywright.platform.db import Row, Transaction

_sql = sql.load(__file__)


def add_user(
    tx: Transaction,
    *,
    user_sid: str,
    email: str,
    email_verified_at: datetime | None,
    name: str,
    password_hash: str,
    role: Role,
    now: datetime,
) -> bool:
    """Insert a user; False if somebody has the address."""
    return tx.insert_new(
        _sql.add_user,
        unique_key="uq_users_email",
        user_sid=user_sid,
        email=email,
        email_verified_at=email_verified_at,
        name=name,
        password_hash=password_hash,
        role=role,
        now=now,
    )


def find_user(tx: Transaction, *, user_sid: str) -> User | None:
    """Return the user."""
    return _user(tx.one(_sql.find_user, user_sid=user_sid))


def find_user_by_email(tx: Transaction, *, email: str) -> User | None:
    """Return the user who has this address, in its normal form."""
    return _user(tx.one(_sql.find_user_by_email, email=email))


def lock_user(tx: Transaction, *, user_sid: str) -> User | None:
    """Return the user, who stays as they are until the transaction ends."""
    return _user(tx.one(_sql.lock_user, user_sid=user_sid))


def replace_registration(tx: Transaction, *, user_sid: str, name: str, password_hash: str) -> bool:
    """Give an unverified user another name and password; False if they are verified."""
    return tx.run(_sql.replace_registration, user_sid=user_sid, name=name, password_hash=password_hash) == 1


def set_password_hash(tx: Transaction, *, user_sid: str, password_hash: str) -> None:
    """Replace the hash of a user's password."""
    tx.run(_sql.set_password_hash, user_sid=user_sid, password_hash=password_hash)


def set_email_verified(tx: Transaction, *, user_sid: str, email: str, now: datetime) -> bool:
    """Mark the address as proven; False if it is no longer that of an active user."""
    return tx.run(_sql.set_email_verified, user_sid=user_sid, email=email, now=now) == 1


def add_mail_token(
    tx: Transaction,
    *,
    token_hash: bytes,
    user_sid: str,
    purpose: TokenPurpose,
    email: str,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Insert the trace of a token that is about to be mailed."""
    tx.run(
        _sql.add_mail_token,
        token_hash=token_hash,
        user_sid=user_sid,
        purpose=purpose,
        email=email,
        expires_at=expires_at,
        now=now,
    )


def drop_unused_mail_tokens(tx: Transaction, *, user_sid: str, purpose: TokenPurpose) -> None:
    """Make the user's earlier mails of this purpose worthless."""
    tx.run(_sql.drop_unused_mail_tokens, user_sid=user_sid, purpose=purpose)


def spend_mail_token(
    tx: Transaction, *, token_hash: bytes, purpose: TokenPurpose, now: datetime
) -> tuple[str, str] | None:
    """Use a token up; return whom it was sent to as (user_sid, address), or None if it is good no longer."""
    if tx.run(_sql.spend_mail_token, token_hash=token_hash, purpose=purpose, now=now) != 1:
        return None
    row = tx.one(_sql.find_mail_token, token_hash=token_hash)
    return None if row is None else (row["user_sid"], row["email"])


def _user(row: Row | None) -> User | None:
    return None if row is None else User(**{**row, "role": Role(row["role"]), "active": bool(row["active"])})
