"""Other passwords and other addresses. Hashes are computed between the transactions, never inside one."""

from __future__ import annotations

from functions.auth.application import app, origin
from functions.auth.models import (
    ChangeEmailRequest,
    ChangePasswordRequest,
    EmailRequest,
    PasswordChangedAnswer,
    ResetPasswordRequest,
    ResetSentAnswer,
    VerificationSentAnswer,
)
from keywright.identity import accounts, credentials, logins, rules, service
from keywright.identity import gateway as identity_gateway
from keywright.identity.models import Caller
from keywright.platform import clock, db, http
from keywright.platform.db import Transaction


@app.post("/v1/auth/password/forgot", status_code=202, summary="Forget the password", tags=["auth"])
def forgot(body: EmailRequest) -> ResetSentAnswer:
    """Mail a reset token, if the address is that of a user. The answer does not tell."""
    now, place = clock.now(), origin()

    def work(tx: Transaction) -> None:
        service.admit_stranger(tx, origin=place, now=now)
        credentials.request_reset(tx, email=body.email, now=now)

    db.transact(work)
    return ResetSentAnswer()


@app.post("/v1/auth/password/reset", summary="Set another password by mail", tags=["auth"])
def reset(body: ResetPasswordRequest) -> PasswordChangedAnswer:
    """Set another password: the token works once, within 30 minutes, and only the newest one. All sessions end."""
    now, place = clock.now(), origin()
    db.transact(lambda tx: credentials.check_reset_token(tx, token=body.token, now=now))
    password_hash = accounts.accept_password(body.password)

    def work(tx: Transaction) -> None:
        credentials.reset_password(tx, token=body.token, password_hash=password_hash, origin=place, now=now)

    db.transact(work)
    return PasswordChangedAnswer()


@app.post("/v1/auth/password/change", summary="Change the password", tags=["auth"])
def change_password(body: ChangePasswordRequest) -> PasswordChangedAnswer:
    """Set another password by the present one. All other sessions end."""
    caller, attempt = _begin()
    logins.check_password(attempt, body.current_password)
    password_hash, now = accounts.accept_password(body.new_password), clock.now()

    def work(tx: Transaction) -> None:
        user = logins.confirm(tx, attempt, now=now)
        credentials.change_password(tx, user, caller, password_hash=password_hash, now=now)

    db.transact(work)
    return PasswordChangedAnswer()


@app.post("/v1/auth/email/change", status_code=202, summary="Change the e-mail address", tags=["auth"])
def change_email(body: ChangeEmailRequest) -> VerificationSentAnswer:
    """Mail a token to the next address; it becomes the user's once the token comes back to ``verify-email``."""
    _, attempt = _begin(next_email=body.email)
    logins.check_password(attempt, body.password)
    now = clock.now()

    def work(tx: Transaction) -> None:
        user = logins.confirm(tx, attempt, now=now)
        credentials.request_email_change(tx, user, email=body.email, now=now)

    db.transact(work)
    return VerificationSentAnswer()


def _begin(*, next_email: str | None = None) -> tuple[Caller, logins.Attempt]:
    """Admit the caller, and take a try for the password that they have to give again, unless all is in vain."""
    access, now, place = identity_gateway.access_tokens(), clock.now(), origin()

    def work(tx: Transaction) -> tuple[Caller, logins.Attempt]:
        caller = service.admit(tx, access, route=http.route(app), bearer=http.bearer(app), now=now)
        if next_email is not None:
            rules.normalize_email(next_email)
        return caller, logins.begin(tx, email=caller.email, origin=place, now=now)

    return db.transact(work)
