"""Rows of ``users``, ``mail_tokens`` and ``known_networks``. Sessions have a module of their own."""

from __future__ import annotations

from datetime import datetime

from keywright.identity.models import Role, TokenPurpose, User, UserFilter
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


def set_email_verified(tx: Transaction, *, user_sid: str, email: str, registration: int, now: datetime) -> bool:
    """Mark the address as proven; False if address or registration are no longer those of an active user."""
    found = tx.run(_sql.set_email_verified, user_sid=user_sid, email=email, registration=registration, now=now)
    return found == 1


def prove_email(tx: Transaction, *, user_sid: str, now: datetime) -> None:
    """Mark the user's present address as proven, unless it is already."""
    tx.run(_sql.prove_email, user_sid=user_sid, now=now)


def set_new_email(tx: Transaction, *, user_sid: str, new_email: str) -> None:
    """Note the address that a user wants to change to."""
    tx.run(_sql.set_new_email, user_sid=user_sid, new_email=new_email)


def find_new_email(tx: Transaction, *, user_sid: str) -> str | None:
    """Return the address that a user wants to change to."""
    row = tx.one(_sql.find_new_email, user_sid=user_sid)
    return None if row is None else row["new_email"]


def change_email(tx: Transaction, *, user_sid: str, email: str, now: datetime) -> bool:
    """Give a user the address that they wanted; False if somebody else has it."""
    return tx.insert_new(_sql.change_email, unique_key="uq_users_email", user_sid=user_sid, email=email, now=now)


def list_users(tx: Transaction, *, wanted: UserFilter, after: str, limit: int) -> list[User]:
    """Return users in order of creation whose sid follows ``after``."""
    rows = tx.all(_sql.list_users, role=wanted.role, active=wanted.active, email=wanted.email, after=after, limit=limit)
    return [user for row in rows if (user := _user(row)) is not None]


def describe_users(tx: Transaction, *, user_sids: list[str]) -> dict[str, User]:
    """Return the users with these sids, by sid."""
    rows = tx.all(_sql.describe_users, user_sids=user_sids) if user_sids else []
    return {user.user_sid: user for row in rows if (user := _user(row)) is not None}


def lock_for_administration(tx: Transaction, *, actor_sid: str, user_sid: str) -> list[User]:
    """Return actor, subject and every active MANAGER, all of whom stay as they are until the transaction ends."""
    rows = tx.all(_sql.lock_for_administration, actor_sid=actor_sid, user_sid=user_sid)
    return [user for row in rows if (user := _user(row)) is not None]


def set_role(tx: Transaction, *, user_sid: str, role: Role) -> None:
    """Give a user another role."""
    tx.run(_sql.set_role, user_sid=user_sid, role=role)


def set_active(tx: Transaction, *, user_sid: str, active: bool) -> None:
    """Deactivate or reactivate a user."""
    tx.run(_sql.set_active, user_sid=user_sid, active=active)


def remember_network(tx: Transaction, *, user_sid: str, network: str, now: datetime) -> None:
    """Note that the owner of the account has been there."""
    tx.run(_sql.remember_network, user_sid=user_sid, network=network, now=now)


def is_known_network(tx: Transaction, *, user_sid: str, network: str) -> bool:
    """Tell whether the owner of the account has been there."""
    return tx.one(_sql.is_known_network, user_sid=user_sid, network=network) is not None


def drop_old(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Forget networks and mailed tokens that have been of no use since ``before``; return how many."""
    networks = tx.run(_sql.drop_old_networks, before=before, limit=limit)
    return networks + tx.run(_sql.drop_old_mail_tokens, before=before, limit=limit)


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
) -> tuple[str, str, int] | None:
    """Use a token up; return (user_sid, address, registration) of the mail, or None if it is good no longer."""
    if tx.run(_sql.spend_mail_token, token_hash=token_hash, purpose=purpose, now=now) != 1:
        return None
    row = tx.one(_sql.find_mail_token, token_hash=token_hash)
    return None if row is None else (row["user_sid"], row["email"], row["registration"])


def is_mail_token_good(tx: Transaction, *, token_hash: bytes, purpose: TokenPurpose, now: datetime) -> bool:
    """Tell whether a token could be spent now."""
    return tx.one(_sql.is_mail_token_good, token_hash=token_hash, purpose=purpose, now=now) is not None


def _user(row: Row | None) -> User | None:
    return None if row is None else User(**{**row, "role": Role(row["role"]), "active": bool(row["active"])})
