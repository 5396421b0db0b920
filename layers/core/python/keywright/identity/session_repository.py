"""Rows of ``sessions`` and ``refresh_tokens``."""

from __future__ import annotations

from datetime import datetime

from keywright.identity.models import OpenSession, Origin, RefreshToken, RevokeReason, Session
from keywright.platform import sql
from keywright.platform.db import Transaction

_sql = sql.load(__file__)


def add_session(
    tx: Transaction,
    *,
    session_sid: str,
    user_sid: str,
    customer_sid: str,
    origin: Origin,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Insert a session."""
    tx.run(
        _sql.add_session,
        session_sid=session_sid,
        user_sid=user_sid,
        customer_sid=customer_sid,
        user_agent=origin.user_agent,
        address=origin.address,
        expires_at=expires_at,
        now=now,
    )


def find_session(tx: Transaction, *, session_sid: str) -> Session | None:
    """Return the session."""
    row = tx.one(_sql.find_session, session_sid=session_sid)
    return None if row is None else Session(**row)


def touch_session(tx: Transaction, *, session_sid: str, origin: Origin, now: datetime) -> None:
    """Record that the session was used, and from where."""
    tx.run(_sql.touch_session, session_sid=session_sid, user_agent=origin.user_agent, address=origin.address, now=now)


def list_open_sessions(
    tx: Transaction, *, user_sid: str, used_after: datetime, after: str, limit: int, now: datetime
) -> list[OpenSession]:
    """Return the user's live sessions whose sid follows ``after``."""
    rows = tx.all(_sql.list_open_sessions, user_sid=user_sid, used_after=used_after, after=after, limit=limit, now=now)
    return [OpenSession(**row) for row in rows]


def lock_sessions(tx: Transaction, *, user_sid: str, customer_sid: str | None) -> list[str]:
    """Return the sids of a user's sessions that nobody has ended, for one customer or for all; they stay so."""
    if customer_sid is None:
        rows = tx.all(_sql.lock_sessions_of_user, user_sid=user_sid)
    else:
        rows = tx.all(_sql.lock_sessions_of_member, user_sid=user_sid, customer_sid=customer_sid)
    return [row["session_sid"] for row in rows]


def revoke_session(tx: Transaction, *, session_sid: str, reason: RevokeReason, now: datetime) -> bool:
    """End the session; False if it has ended before."""
    return tx.run(_sql.revoke_session, session_sid=session_sid, reason=reason, now=now) == 1


def add_refresh_token(tx: Transaction, *, token_hash: bytes, session_sid: str, generation: int, now: datetime) -> None:
    """Insert the trace of a session's next refresh token."""
    tx.run(_sql.add_refresh_token, token_hash=token_hash, session_sid=session_sid, generation=generation, now=now)


def lock_refresh_token(tx: Transaction, *, token_hash: bytes) -> tuple[RefreshToken, Session] | None:
    """Return a refresh token and its session, both of which stay as they are until the transaction ends."""
    row = tx.one(_sql.lock_refresh_token, token_hash=token_hash)
    if row is None:
        return None
    names = ("token_hash", "generation", "used_at", "sealed_child")
    token = RefreshToken(**{name: row.pop(name) for name in names})
    return token, Session(**row)


def spend_refresh_token(tx: Transaction, token: RefreshToken, *, session_sid: str, child: bytes, now: datetime) -> None:
    """Use a token up and keep its child under seal; the seal before it has served."""
    tx.run(_sql.spend_refresh_token, token_hash=token.token_hash, sealed_child=child, now=now)
    tx.run(_sql.drop_sealed_children, session_sid=session_sid, generation=token.generation - 1)


def is_generation_unused(tx: Transaction, *, session_sid: str, generation: int) -> bool:
    """Tell whether the session's token of this generation is there and unspent."""
    return tx.one(_sql.is_generation_unused, session_sid=session_sid, generation=generation) is not None
