"""
Logging in, refreshing, logging out.

A session has one good refresh token at any time. Presenting it spends it and gives the next one; presenting a spent
one means that somebody else holds a copy, and ends the session.
"""

from __future__ import annotations

from datetime import datetime

from keywright.audit import service as audit
from keywright.audit.models import user as acting
from keywright.customers import service as customers
from keywright.identity import opaque_tokens, passwords, repository, rules, session_repository
from keywright.identity.access_tokens import AccessTokens
from keywright.identity.models import (
    Caller,
    CredentialsInvalid,
    EmailInvalid,
    EmailNotVerified,
    Origin,
    RefreshTokenInvalid,
    RevokeReason,
    Session,
    Tokens,
    User,
)
from keywright.platform import ids
from keywright.platform.db import Transaction


def login(tx: Transaction, access: AccessTokens, *, email: str, password: str, origin: Origin, now: datetime) -> Tokens:
    """
    Open a session for whoever knows the password.

    :raises CredentialsInvalid: if nobody active has this address and password
    :raises EmailNotVerified: if the password is right and the address unproven
    """
    user = _check_credentials(tx, email=email, password=password)
    if user.email_verified_at is None:
        raise EmailNotVerified("Open the link in the mail that we sent you.")
    if passwords.is_outdated(user.password_hash):
        repository.set_password_hash(tx, user_sid=user.user_sid, password_hash=passwords.hash_password(password))
    caller = _open_session(tx, user, origin=origin, now=now)
    return _tokens(tx, access, caller, generation=1, now=now)


def refresh(
    tx: Transaction, access: AccessTokens, *, refresh_token: str, now: datetime
) -> Tokens | RefreshTokenInvalid:
    """
    Exchange a refresh token for the next one.

    A replay is answered by an error that is returned, not raised: raising would roll the revocation back.
    """
    locked = session_repository.lock_refresh_token(tx, token_hash=opaque_tokens.digest(refresh_token))
    if locked is None:
        return _refused()
    token, session = locked
    if token.used_at is not None:
        _revoke(tx, session.session_sid, user_sid=session.user_sid, reason=RevokeReason.REPLAYED, now=now)
        return _refused()
    user = repository.find_user(tx, user_sid=session.user_sid)
    if user is None or not user.active or not rules.is_live(session, now=now):
        return _refused()
    session_repository.spend_refresh_token(tx, token_hash=token.token_hash, now=now)
    session_repository.touch_session(tx, session_sid=session.session_sid, now=now)
    return _tokens(tx, access, _caller(user, session), generation=token.generation + 1, now=now)


def logout(tx: Transaction, caller: Caller, *, now: datetime) -> None:
    """End the caller's session; its tokens are worthless from now on."""
    _revoke(tx, caller.session_sid, user_sid=caller.user_sid, reason=RevokeReason.LOGGED_OUT, now=now)


def _check_credentials(tx: Transaction, *, email: str, password: str) -> User:
    found = _find_user(tx, email)
    if not passwords.matches(password, found.password_hash if found else None) or found is None:
        raise _wrong()
    # The comparison took a while, and no lock was held: the password may have been changed, with its sessions ended.
    user = repository.lock_user(tx, user_sid=found.user_sid)
    if user is None or not user.active or user.password_hash != found.password_hash:
        raise _wrong()
    return user


def _find_user(tx: Transaction, email: str) -> User | None:
    try:
        return repository.find_user_by_email(tx, email=rules.normalize_email(email))
    except EmailInvalid:
        return None


def _open_session(tx: Transaction, user: User, *, origin: Origin, now: datetime) -> Caller:
    customer_sid = customers.first_customer_of(tx, user_sid=user.user_sid)
    if customer_sid is None:
        raise LookupError(f"{user.user_sid} is a member of no customer")
    session_sid = ids.new("ses", now=now)
    session_repository.add_session(
        tx,
        session_sid=session_sid,
        user_sid=user.user_sid,
        customer_sid=customer_sid,
        origin=origin,
        expires_at=now + rules.SESSION_LIFETIME,
        now=now,
    )
    actor, new = acting(user.user_sid), {"address": origin.address}
    audit.record(tx, "SESSION_OPENED", actor=actor, subject=session_sid, new=new, now=now)
    return Caller(user.user_sid, customer_sid, session_sid, user.role, user.email)


def _tokens(tx: Transaction, access: AccessTokens, caller: Caller, *, generation: int, now: datetime) -> Tokens:
    refresh_token = opaque_tokens.new_refresh_token()
    session_repository.add_refresh_token(
        tx,
        token_hash=opaque_tokens.digest(refresh_token),
        session_sid=caller.session_sid,
        generation=generation,
        now=now,
    )
    return Tokens(access_token=access.issue(caller, now=now), refresh_token=refresh_token)


def _revoke(tx: Transaction, session_sid: str, *, user_sid: str, reason: RevokeReason, now: datetime) -> None:
    if session_repository.revoke_session(tx, session_sid=session_sid, reason=reason, now=now):
        actor, new = acting(user_sid), {"reason": reason}
        audit.record(tx, "SESSION_REVOKED", actor=actor, subject=session_sid, new=new, now=now)


def _caller(user: User, session: Session) -> Caller:
    return Caller(user.user_sid, session.customer_sid, session.session_sid, user.role, user.email)


def _wrong() -> CredentialsInvalid:
    return CredentialsInvalid("The e-mail address or the password is wrong.")


def _refused() -> RefreshTokenInvalid:
    return RefreshTokenInvalid("Log in again.")
