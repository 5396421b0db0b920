"""
Sessions: opened, refreshed, listed and ended. Whether somebody may open one is decided in ``logins``.

A session has one good refresh token at any time. Presenting it spends it and gives the next one. Presenting the spent
one again gives the same next one as long as the client may have lost the answer; after that, or once the next one was
used, it means that somebody else holds a copy, and ends the session.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.audit import service as audit
from keywright.audit.models import Actor
from keywright.audit.models import user as acting
from keywright.customers import service as customers
from keywright.identity import notices, opaque_tokens, repository, rules, sealing, session_repository
from keywright.identity.access_tokens import AccessTokens
from keywright.identity.models import (
    Caller,
    Notice,
    OpenSession,
    Origin,
    RefreshToken,
    RefreshTokenInvalid,
    RevokeReason,
    Session,
    SessionNotFound,
    Tokens,
    User,
)
from keywright.platform import ids, paging
from keywright.platform.db import Transaction
from keywright.platform.paging import Page


def open_session(
    tx: Transaction, access: AccessTokens, user: User, *, origin: Origin, customer_sid: str | None, now: datetime
) -> Tokens:
    """
    Open a session that acts for one of the user's customers: the first of them unless stated.

    :raises CustomerNotFound: if the user is no member of the customer
    """
    acts_for = customers.lock_membership(tx, user_sid=user.user_sid, customer_sid=customer_sid)
    session_sid = ids.new("ses", now=now)
    session_repository.add_session(
        tx,
        session_sid=session_sid,
        user_sid=user.user_sid,
        customer_sid=acts_for,
        origin=origin,
        expires_at=now + rules.SESSION_LIFETIME,
        now=now,
    )
    actor, new = acting(user.user_sid), {"address": origin.address}
    audit.record(tx, "SESSION_OPENED", actor=actor, subject=session_sid, new=new, now=now)
    refresh_token = _add_token(tx, session_sid=session_sid, generation=1, now=now)
    caller = Caller(user.user_sid, acts_for, session_sid, user.role, user.email)
    return Tokens(access_token=access.issue(caller, now=now), refresh_token=refresh_token)


def refresh(
    tx: Transaction,
    access: AccessTokens,
    *,
    refresh_token: str,
    origin: Origin,
    grace: timedelta = rules.REFRESH_GRACE,
    now: datetime,
) -> Tokens | RefreshTokenInvalid:
    """
    Exchange a refresh token for the next one; for as long as ``grace`` says the same one again.

    A replay is answered by an error that is returned, not raised: raising would roll the revocation back.
    """
    locked = session_repository.lock_refresh_token(tx, token_hash=opaque_tokens.digest(refresh_token))
    if locked is None:
        return _refused()
    token, session = locked
    user = repository.find_user(tx, user_sid=session.user_sid)
    if user is None or not user.active or not rules.is_live(session, now=now):
        return _refused()
    if token.used_at is None:
        child = _next_token(tx, token, session, parent=refresh_token, now=now)
        session_repository.touch_session(tx, session_sid=session.session_sid, origin=origin, now=now)
    else:
        may_repeat = rules.is_retry(token, now=now, grace=grace)
        repeated = _same_child(tx, token, session, parent=refresh_token) if may_repeat else None
        if repeated is None:
            return _end_replayed(tx, user, session, origin=origin, now=now)
        child = repeated
    return Tokens(access_token=access.issue(_caller(user, session), now=now), refresh_token=child)


def logout(tx: Transaction, caller: Caller, *, now: datetime) -> None:
    """End the caller's session; its tokens are worthless from now on."""
    actor = acting(caller.user_sid)
    _revoke(tx, caller.session_sid, actor=actor, reason=RevokeReason.LOGGED_OUT, now=now)


def list_sessions(
    tx: Transaction, caller: Caller, *, limit: int, cursor: str | None, now: datetime
) -> Page[OpenSession]:
    """
    Return a page of the caller's live sessions, the oldest first.

    :raises CursorInvalid: if the cursor is none of ours
    """
    found = session_repository.list_open_sessions(
        tx,
        user_sid=caller.user_sid,
        used_after=now - rules.SESSION_IDLE_LIMIT,
        after=paging.decode(cursor),
        limit=limit + 1,
        now=now,
    )
    return paging.page(found, limit=limit, key=lambda session: session.session_sid)


def end_session(tx: Transaction, caller: Caller, *, session_sid: str, now: datetime) -> None:
    """
    End one of the caller's sessions, this one included. Ending it again does nothing.

    :raises SessionNotFound: if there is none, or it is somebody else's: the two answer alike
    """
    session = session_repository.find_session(tx, session_sid=session_sid)
    if session is None or session.user_sid != caller.user_sid:
        raise SessionNotFound("There is no such session.")
    _revoke(tx, session_sid, actor=acting(caller.user_sid), reason=RevokeReason.REVOKED, now=now)


def end_all(
    tx: Transaction,
    *,
    user_sid: str,
    reason: RevokeReason,
    actor: Actor,
    now: datetime,
    but: str | None = None,
    customer_sid: str | None = None,
) -> int:
    """End a user's sessions, for one customer or for all, but for one that may stay; return how many."""
    session_sids = session_repository.lock_sessions(tx, user_sid=user_sid, customer_sid=customer_sid)
    ended = [sid for sid in session_sids if sid != but]
    for session_sid in ended:
        _revoke(tx, session_sid, actor=actor, reason=reason, now=now)
    return len(ended)


def _next_token(tx: Transaction, token: RefreshToken, session: Session, *, parent: str, now: datetime) -> str:
    child = _add_token(tx, session_sid=session.session_sid, generation=token.generation + 1, now=now)
    sealed = sealing.seal(child, parent=parent)
    session_repository.spend_refresh_token(tx, token, session_sid=session.session_sid, child=sealed, now=now)
    return child


def _same_child(tx: Transaction, token: RefreshToken, session: Session, *, parent: str) -> str | None:
    """Return the child that the spent token was exchanged for; None once the child was used itself."""
    if token.sealed_child is None:
        return None
    if not session_repository.is_generation_unused(
        tx, session_sid=session.session_sid, generation=token.generation + 1
    ):
        return None
    return sealing.unseal(token.sealed_child, parent=parent)


def _end_replayed(
    tx: Transaction, user: User, session: Session, *, origin: Origin, now: datetime
) -> RefreshTokenInvalid:
    _revoke(
        tx,
        session.session_sid,
        actor=acting(user.user_sid),
        reason=RevokeReason.REPLAYED,
        address=origin.address,
        now=now,
    )
    notices.request(tx, Notice.SESSION_REPLAYED, user=user, now=now)
    return _refused()


def _add_token(tx: Transaction, *, session_sid: str, generation: int, now: datetime) -> str:
    refresh_token = opaque_tokens.new_refresh_token()
    session_repository.add_refresh_token(
        tx,
        token_hash=opaque_tokens.digest(refresh_token),
        session_sid=session_sid,
        generation=generation,
        now=now,
    )
    return refresh_token


def _revoke(
    tx: Transaction, session_sid: str, *, actor: Actor, reason: RevokeReason, now: datetime, address: str | None = None
) -> None:
    if session_repository.revoke_session(tx, session_sid=session_sid, reason=reason, now=now):
        new = {"reason": reason} | ({"address": address} if address else {})
        audit.record(tx, "SESSION_REVOKED", actor=actor, subject=session_sid, new=new, now=now)


def _caller(user: User, session: Session) -> Caller:
    return Caller(user.user_sid, session.customer_sid, session.session_sid, user.role, user.email)


def _refused() -> RefreshTokenInvalid:
    return RefreshTokenInvalid("Log in again.")
