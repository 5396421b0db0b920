"""Signing up and proving an address. Nothing here tells whether an address is known."""

from __future__ import annotations

from functions.auth.application import app, origin
from functions.auth.models import (
    EmailRequest,
    RegisterRequest,
    VerificationSentAnswer,
    VerifyEmailAnswer,
    VerifyEmailRequest,
)
from keywright.identity import accounts, rules, service
from keywright.platform import clock, db
from keywright.platform.db import Transaction


@app.post("/v1/auth/register", status_code=202, summary="Sign up", tags=["auth"])
def register(body: RegisterRequest) -> VerificationSentAnswer:
    """Make an account and mail a verification token. The answer does not tell whether the address was known."""
    now = clock.now()
    rules.normalize_email(body.email)
    db.transact(lambda tx: service.admit_stranger(tx, origin=origin(), now=now))
    password_hash = accounts.accept_password(body.password)

    def work(tx: Transaction) -> None:
        accounts.register(tx, email=body.email, password_hash=password_hash, name=body.name, now=now)

    db.transact(work)
    return VerificationSentAnswer()


@app.post("/v1/auth/verify-email", summary="Verify an e-mail address", tags=["auth"])
def verify_email(body: VerifyEmailRequest) -> VerifyEmailAnswer:
    """Prove an address by the token from the mail: it works once, within 24 hours, and only the newest one."""
    now, place = clock.now(), origin()
    db.transact(lambda tx: accounts.verify_email(tx, token=body.token, origin=place, now=now))
    return VerifyEmailAnswer()


@app.post("/v1/auth/verify-email/resend", status_code=202, summary="Have the mail sent again", tags=["auth"])
def resend(body: EmailRequest) -> VerificationSentAnswer:
    """Mail another verification token, if the address waits for one; the earlier ones stop working."""
    now, place = clock.now(), origin()

    def work(tx: Transaction) -> None:
        service.admit_stranger(tx, origin=place, now=now)
        accounts.request_verification(tx, email=body.email, now=now)

    db.transact(work)
    return VerificationSentAnswer()
