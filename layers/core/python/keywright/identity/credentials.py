"""
Changing what a user proves themselves with: the password and the e-mail address.

What is asked for by somebody who proves nothing answers alike for everybody: the work behind it is a job, which is
enqueued for unknown addresses too and then finds nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from keywright.audit import service as audit
from keywright.audit.models import user as acting
from keywright.customers import service as customers
from keywright.identity import logins, notices, opaque_tokens, repository, rules, sessions, throttles
from keywright.identity.models import (
    NOBODY,
    SEND_EMAIL_CHANGE,
    SEND_PASSWORD_RESET,
    Caller,
    EmailInvalid,
    MailTokenInvalid,
    Notice,
    Origin,
    RevokeReason,
    TokenPurpose,
    User,
    Verification,
)
from keywright.jobs import service as jobs
from keywright.platform.db import Transaction
from keywright.throttling import service as throttling


def request_reset(tx: Transaction, *, email: str, now: datetime) -> None:
    """Have a token mailed that sets another password, if the address is that of a user."""
    try:
        user = repository.find_user_by_email(tx, email=rules.normalize_email(email))
    except EmailInvalid:
        user = None
    user_sid = NOBODY if user is None else user.user_sid
    jobs.enqueue(tx, SEND_PASSWORD_RESET, {"user_sid": user_sid}, key=f"{user_sid}:{now.isoformat()}", now=now)


def begin_reset(tx: Transaction, *, user_sid: str, now: datetime) -> Verification | None:
    """Return what to mail to a user who forgot their password; None if there is none, or too many were sent."""
    user = repository.lock_user(tx, user_sid=user_sid)
    if user is None or not user.active or not throttling.is_free(tx, throttles.mails(email=user.email), now=now):
        return None
    return _new_token(tx, user, TokenPurpose.RESET_PASSWORD, lifetime=rules.RESET_TOKEN_LIFETIME, now=now)


def check_reset_token(tx: Transaction, *, token: str, now: datetime) -> None:
    """
    Require a token that is still good, before a new password is hashed for it.

    :raises MailTokenInvalid: if it is unknown, used, replaced or expired
    """
    digest = opaque_tokens.digest(token)
    if not repository.is_mail_token_good(tx, token_hash=digest, purpose=TokenPurpose.RESET_PASSWORD, now=now):
        raise _bad_token()


def reset_password(tx: Transaction, *, token: str, password_hash: str, origin: Origin, now: datetime) -> None:
    """
    Set another password by a token from a mail, which proves the address too. All sessions end; the user is told.

    :raises MailTokenInvalid: if the token is good no longer, or the address is not the user's any more
    """
    sent = repository.spend_mail_token(
        tx, token_hash=opaque_tokens.digest(token), purpose=TokenPurpose.RESET_PASSWORD, now=now
    )
    user = None if sent is None else repository.lock_user(tx, user_sid=sent[0])
    if sent is None or user is None or not user.active or user.email != sent[1]:
        raise _bad_token()
    if user.email_verified_at is None:
        repository.prove_email(tx, user_sid=user.user_sid, now=now)
        repository.drop_unused_mail_tokens(tx, user_sid=user.user_sid, purpose=TokenPurpose.VERIFY_EMAIL)
        audit.record(tx, "EMAIL_VERIFIED", actor=acting(user.user_sid), subject=user.user_sid, now=now)
        customers.request_stripe_customers(tx, user_sid=user.user_sid, now=now)
    # Whoever reads the mail of the account is its owner: from here they may log in beside those who guess.
    logins.remember(tx, user_sid=user.user_sid, origin=origin, now=now)
    _set_password(tx, user, action="PASSWORD_RESET", password_hash=password_hash, keep=None, now=now)


def change_password(tx: Transaction, user: User, caller: Caller, *, password_hash: str, now: datetime) -> None:
    """Set another password for a user who has confirmed the old one. The other sessions end; the user is told."""
    _set_password(tx, user, action="PASSWORD_CHANGED", password_hash=password_hash, keep=caller.session_sid, now=now)


def request_email_change(tx: Transaction, user: User, *, email: str, now: datetime) -> None:
    """
    Have a token mailed to the address that a user wants, who has confirmed their password.

    :raises EmailInvalid: if no mail could be sent there
    """
    repository.set_new_email(tx, user_sid=user.user_sid, new_email=rules.normalize_email(email))
    audit.record(tx, "EMAIL_CHANGE_REQUESTED", actor=acting(user.user_sid), subject=user.user_sid, now=now)
    payload, key = {"user_sid": user.user_sid}, f"{user.user_sid}:{now.isoformat()}"
    jobs.enqueue(tx, SEND_EMAIL_CHANGE, payload, key=key, now=now)


def begin_email_change(tx: Transaction, *, user_sid: str, now: datetime) -> Verification | None:
    """Return what to mail to the address that a user wants; None if somebody has it, or too many were sent there."""
    user = repository.lock_user(tx, user_sid=user_sid)
    email = repository.find_new_email(tx, user_sid=user_sid)
    if user is None or not user.active or email is None:
        return None
    if repository.find_user_by_email(tx, email=email) is not None:
        return None
    if not throttling.is_free(tx, throttles.mails(email=email), now=now):
        return None
    return _new_token(tx, user, TokenPurpose.CHANGE_EMAIL, email=email, lifetime=rules.MAIL_TOKEN_LIFETIME, now=now)


def complete_email_change(tx: Transaction, *, token: str, now: datetime) -> str | None:
    """Give a user the address that the token proves; return their sid, None if the token is good for nothing."""
    sent = repository.spend_mail_token(
        tx, token_hash=opaque_tokens.digest(token), purpose=TokenPurpose.CHANGE_EMAIL, now=now
    )
    user = None if sent is None else repository.lock_user(tx, user_sid=sent[0])
    if sent is None or user is None or not user.active:
        return None
    if not repository.change_email(tx, user_sid=user.user_sid, email=sent[1], now=now):
        return None
    changed = repository.find_user(tx, user_sid=user.user_sid)
    if changed is None or changed.email != sent[1]:
        return None
    old, new = {"email": user.email}, {"email": changed.email}
    audit.record(tx, "EMAIL_CHANGED", actor=acting(user.user_sid), subject=user.user_sid, old=old, new=new, now=now)
    notices.request(tx, Notice.EMAIL_CHANGED, user=changed, email=user.email, now=now)
    return user.user_sid


def _set_password(
    tx: Transaction, user: User, *, action: str, password_hash: str, keep: str | None, now: datetime
) -> None:
    actor = acting(user.user_sid)
    repository.set_password_hash(tx, user_sid=user.user_sid, password_hash=password_hash)
    repository.drop_unused_mail_tokens(tx, user_sid=user.user_sid, purpose=TokenPurpose.RESET_PASSWORD)
    audit.record(tx, action, actor=actor, subject=user.user_sid, now=now)
    reason = RevokeReason.PASSWORD_CHANGED
    sessions.end_all(tx, user_sid=user.user_sid, reason=reason, actor=actor, but=keep, now=now)
    notices.request(tx, Notice.PASSWORD_CHANGED, user=user, now=now)


def _new_token(
    tx: Transaction, user: User, purpose: TokenPurpose, *, lifetime: timedelta, email: str | None = None, now: datetime
) -> Verification:
    token, to = opaque_tokens.new_mail_token(), email or user.email
    repository.drop_unused_mail_tokens(tx, user_sid=user.user_sid, purpose=purpose)
    repository.add_mail_token(
        tx,
        token_hash=opaque_tokens.digest(token),
        user_sid=user.user_sid,
        purpose=purpose,
        email=to,
        expires_at=now + lifetime,
        now=now,
    )
    return Verification(to, user.name, token)


def _bad_token() -> MailTokenInvalid:
    return MailTokenInvalid("The token is not valid any more. Ask for another mail.")
