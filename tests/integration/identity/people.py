"""People who are signed up and logged in, made by the services themselves."""

from __future__ import annotations

from datetime import UTC, datetime

from keywright.identity import accounts, gateway, logins, service, sessions
from keywright.identity.models import Caller, EmailNotVerified, Origin, RefreshTokenInvalid, Tokens
from keywright.platform import db

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"
ORIGIN = Origin("a browser", "127.0.0.1")


def sign_up(email: str = "ada@example.com", *, name: str = "Ada", password: str = PASSWORD, now: datetime = NOW) -> str:
    """Register; return the user's sid."""
    password_hash = accounts.accept_password(password)
    db.transact(lambda tx: accounts.register(tx, email=email, password_hash=password_hash, name=name, now=now))
    return str(rows("SELECT user_sid FROM users WHERE email = %(email)s", email=email.lower())[0]["user_sid"])


def mail_token(user_sid: str, *, now: datetime = NOW) -> str:
    """Do what the job does that mails a token; return the token."""
    verification = db.transact(lambda tx: accounts.begin_verification(tx, user_sid=user_sid, now=now))
    assert verification is not None
    return verification.token


def verified(email: str = "ada@example.com", *, now: datetime = NOW) -> str:
    """Register and verify; return the user's sid."""
    user_sid = sign_up(email, now=now)
    token = mail_token(user_sid, now=now)
    db.transact(lambda tx: accounts.verify_email(tx, token=token, now=now))
    return user_sid


def log_in(
    email: str = "ada@example.com",
    *,
    password: str = PASSWORD,
    origin: Origin = ORIGIN,
    customer_sid: str | None = None,
    now: datetime = NOW,
) -> Tokens:
    """Open a session."""
    access, where = gateway.access_tokens(), origin
    attempt = db.transact(lambda tx: logins.begin(tx, email=email, origin=where, now=now))
    logins.check_password(attempt, password)
    better_hash = logins.renew_hash(attempt, password)
    outcome = db.transact(
        lambda tx: logins.complete(tx, access, attempt, better_hash=better_hash, customer_sid=customer_sid, now=now)
    )
    if isinstance(outcome, EmailNotVerified):
        raise outcome
    return outcome


def refresh(tokens: Tokens, *, now: datetime = NOW) -> Tokens:
    """Exchange the refresh token."""
    access = gateway.access_tokens()
    outcome = db.transact(
        lambda tx: sessions.refresh(tx, access, refresh_token=tokens.refresh_token, origin=ORIGIN, now=now)
    )
    if isinstance(outcome, RefreshTokenInvalid):
        raise outcome
    return outcome


def who(tokens: Tokens, *, now: datetime = NOW) -> Caller:
    """Ask the service who holds the access token."""
    access = gateway.access_tokens()
    return db.transact(lambda tx: service.authenticate(tx, access, bearer=tokens.access_token, now=now))


def rows(query: str, **parameters: object) -> list[db.Row]:
    """Read from the database."""
    return db.transact(lambda tx: tx.all(query, **parameters))


def run(query: str, **parameters: object) -> None:
    """Change the database behind the services' back."""
    db.transact(lambda tx: tx.run(query, **parameters))


def audited() -> list[str]:
    """Return the actions on record, in order."""
    return [row["action"] for row in rows("SELECT action FROM audit_log ORDER BY audit_id")]
