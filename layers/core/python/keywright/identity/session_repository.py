"""Rows of ``sessions`` and ``refresh_tokens``."""

from __future__ import annotations

from datetime import datetime

from keywright.identity.models import Origin, RefreshToken, RevokeReason, Session
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


def touch_session(tx: Transaction, *, session_sid: str, now: datetime) -> None:
    """Record that the session was used."""
    tx.run(_sql.touch_session, session_sid=session_sid, now=now)


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
    token = RefreshToken(**{name: row.pop(name) for name in ("token_hash", "generation", "used_at")})
    return token, Session(**row)


def spend_refresh_token(tx: Transaction, *, token_hash: bytes, now: datetime) -> None:
    """Use a token up."""
    tx.run(_sql.spend_refresh_token, token_hash=token_hash, now=now)
