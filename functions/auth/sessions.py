"""Logging in, refreshing, logging out; seeing and ending one's own sessions."""

from __future__ import annotations

from functions.auth.application import app, origin
from functions.auth.models import (
    LoginRequest,
    LogoutAnswer,
    RefreshRequest,
    SessionAnswer,
    SessionsAnswer,
    SessionsEndedAnswer,
    TokensAnswer,
)
from keywright.audit.models import user as acting
from keywright.identity import devices, logins, service, sessions
from keywright.identity import gateway as identity_gateway
from keywright.identity.models import (
    Caller,
    EmailNotVerified,
    OpenSession,
    RefreshTokenInvalid,
    RevokeReason,
    Tokens,
)
from keywright.platform import clock, db, http, paging
from keywright.platform.db import Transaction
from keywright.platform.http import Cursor, Limit
from keywright.platform.paging import Page


@app.post("/v1/auth/login", summary="Log in", tags=["auth"])
def login(body: LoginRequest) -> TokensAnswer:
    """Open a session for a verified address and its password. Too many wrong ones have to wait: see ``Retry-After``."""
    access, place, now = identity_gateway.access_tokens(), origin(), clock.now()
    attempt = db.transact(lambda tx: logins.begin(tx, email=body.email, origin=place, now=now))
    logins.check_password(attempt, body.password)
    better_hash = logins.renew_hash(attempt, body.password)

    def work(tx: Transaction) -> Tokens | EmailNotVerified:
        return logins.complete(tx, access, attempt, better_hash=better_hash, customer_sid=body.customer_sid, now=now)

    outcome = db.transact(work)
    if isinstance(outcome, EmailNotVerified):
        raise outcome
    return _tokens(outcome)


@app.post("/v1/auth/refresh", summary="Exchange a refresh token", tags=["auth"])
def refresh(body: RefreshRequest) -> TokensAnswer:
    """
    Return the next tokens. A refresh token works once.

    Whoever lost the answer may ask again within ten seconds; presenting a spent token after that ends the session.
    """
    access, place, now = identity_gateway.access_tokens(), origin(), clock.now()

    def work(tx: Transaction) -> Tokens | RefreshTokenInvalid:
        return sessions.refresh(tx, access, refresh_token=body.refresh_token, origin=place, now=now)

    outcome = db.transact(work)
    if isinstance(outcome, RefreshTokenInvalid):
        raise outcome
    return _tokens(outcome)


@app.post("/v1/auth/logout", summary="Log out", tags=["auth"])
def logout() -> LogoutAnswer:
    """End the caller's session, and with it its tokens."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> None:
        caller = service.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        sessions.logout(tx, caller, now=now)

    db.transact(work)
    return LogoutAnswer()


@app.get("/v1/auth/sessions", summary="List my sessions", tags=["auth"])
def list_sessions(limit: Limit = paging.DEFAULT_LIMIT, cursor: Cursor = None) -> SessionsAnswer:
    """Return a page of the caller's live sessions, the oldest first: device, address, when it was used last."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> tuple[Caller, Page[OpenSession]]:
        caller = service.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        return caller, sessions.list_sessions(tx, caller, limit=limit, cursor=cursor, now=now)

    caller, page = db.transact(work)
    items = [_session(session, current=session.session_sid == caller.session_sid) for session in page.items]
    return SessionsAnswer(items=items, next_cursor=page.next_cursor)


@app.delete("/v1/auth/sessions", summary="End all my sessions", tags=["auth"])
def end_sessions() -> SessionsEndedAnswer:
    """End every session of the caller, the one that asks included."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> int:
        caller = service.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        actor, reason = acting(caller.user_sid), RevokeReason.REVOKED
        return sessions.end_all(tx, user_sid=caller.user_sid, reason=reason, actor=actor, now=now)

    return SessionsEndedAnswer(ended=db.transact(work))


@app.delete("/v1/auth/sessions/<session_sid>", summary="End one of my sessions", tags=["auth"])
def end_session(session_sid: str) -> SessionsEndedAnswer:
    """End one session of the caller. Ending it again changes nothing."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> None:
        caller = service.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        sessions.end_session(tx, caller, session_sid=session_sid, now=now)

    db.transact(work)
    return SessionsEndedAnswer(ended=1)


def _tokens(tokens: Tokens) -> TokensAnswer:
    return TokensAnswer(access_token=tokens.access_token, refresh_token=tokens.refresh_token)


def _session(session: OpenSession, *, current: bool) -> SessionAnswer:
    return SessionAnswer(
        session_sid=session.session_sid,
        device=devices.describe(session.user_agent),
        user_agent=session.user_agent,
        address=session.address,
        current=current,
        created_at=clock.to_wire(session.created_at),
        last_used_at=clock.to_wire(session.last_used_at),
        expires_at=clock.to_wire(session.expires_at),
    )
