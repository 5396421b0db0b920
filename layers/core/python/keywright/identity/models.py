"""Users, sessions and callers, and what can be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated

SEND_VERIFICATION = "identity.send-verification"
"""The job ``{user_sid}`` that mails the token which verifies an address."""

SEND_EMAIL_CHANGE = "identity.send-email-change"
"""The job ``{user_sid}`` that mails the token which proves a user's next address."""

SEND_PASSWORD_RESET = "identity.send-password-reset"
"""The job ``{user_sid}`` that mails the token which sets another password."""

SEND_NOTICE = "identity.send-notice"
"""The job ``{notice, user_sid, email}`` that tells a user what happened to their account."""

NOBODY = "usr_nobody"
"""Whom a job is about that was enqueued for an unknown address, so that known and unknown ones cost the same."""


class Role(StrEnum):
    """What a user may do here. MANAGER outranks ADMIN."""

    USER = "USER"
    ADMIN = "ADMIN"
    MANAGER = "MANAGER"


STAFF = frozenset({Role.ADMIN, Role.MANAGER})


class TokenPurpose(StrEnum):
    """What a token that travels by mail is good for."""

    VERIFY_EMAIL = "VERIFY_EMAIL"
    CHANGE_EMAIL = "CHANGE_EMAIL"
    RESET_PASSWORD = "RESET_PASSWORD"


class Notice(StrEnum):
    """What a user is told about, because somebody else may have done it."""

    ALREADY_REGISTERED = "ALREADY_REGISTERED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"
    SESSION_REPLAYED = "SESSION_REPLAYED"


class RevokeReason(StrEnum):
    """Why a session ended before its time."""

    LOGGED_OUT = "LOGGED_OUT"
    REPLAYED = "REPLAYED"
    REVOKED = "REVOKED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"
    DEACTIVATED = "DEACTIVATED"
    MEMBERSHIP_ENDED = "MEMBERSHIP_ENDED"


@dataclass(frozen=True)
class User:
    """A person with a password. ``active`` is False once staff has deactivated them."""

    user_sid: str
    email: str
    email_verified_at: datetime | None
    name: str
    password_hash: str
    role: Role
    active: bool
    created_at: datetime


@dataclass(frozen=True)
class UserFilter:
    """Which users a list holds; None leaves a field open. ``email`` is any part of the address."""

    role: Role | None = None
    active: bool | None = None
    email: str | None = None


@dataclass(frozen=True)
class Verification:
    """What a mail with a token is made of."""

    email: str
    name: str
    token: str


@dataclass(frozen=True)
class Origin:
    """Where a session was opened from, for its owner to recognize it by."""

    user_agent: str
    address: str


@dataclass(frozen=True)
class Session:
    """A login. It acts for one customer and ends when idle, when old, or when revoked."""

    session_sid: str
    user_sid: str
    customer_sid: str
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class OpenSession:
    """A session as its owner sees it: from which device and place it was used last, and when."""

    session_sid: str
    user_agent: str
    address: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class RefreshToken:
    """The trace of a refresh token: its place in the session's line, when it was spent, and its child under seal."""

    token_hash: bytes
    generation: int
    used_at: datetime | None
    sealed_child: bytes | None


@dataclass(frozen=True)
class Caller:
    """Who is calling, as the database knows them now."""

    user_sid: str
    customer_sid: str
    session_sid: str
    role: Role
    email: str

    @property
    def is_staff(self) -> bool:
        """Tell whether the caller works for the vendor."""
        return self.role in STAFF

    def scope(self, *, chosen: str | None = None) -> str | None:
        """Return whose rows to stay within: a customer's own; for staff, those of the chosen one, or None for all."""
        return chosen if self.is_staff else self.customer_sid


@dataclass(frozen=True)
class Tokens:
    """What a client gets at login and at every refresh."""

    access_token: str
    refresh_token: str


class CredentialsInvalid(Unauthenticated):
    """No active user has this address and this password; which of the two is wrong is not told."""

    code = "credentials-invalid"
    title = "The credentials are not valid"


class EmailNotVerified(Forbidden):
    """The password is right and the address is not verified yet."""

    code = "email-not-verified"
    title = "The e-mail address is not verified"


class AccessTokenInvalid(Unauthenticated):
    """The access token is absent, forged, expired, or its session has ended."""

    code = "access-token-invalid"
    title = "The access token is not valid"


class RefreshTokenInvalid(Unauthenticated):
    """The refresh token is unknown, spent, or its session has ended."""

    code = "refresh-token-invalid"
    title = "The refresh token is not valid"


class MailTokenInvalid(Invalid):
    """The token from the mail is unknown, used, replaced by a newer one, or expired."""

    code = "mail-token-invalid"
    title = "The token from the mail is not valid"


class PasswordUnacceptable(Invalid):
    """The password is too short, too long, or among those that everybody tries first."""

    code = "password-unacceptable"
    title = "The password cannot be accepted"


class EmailInvalid(Invalid):
    """The text is no e-mail address that mail can be sent to."""

    code = "email-invalid"
    title = "The e-mail address is not valid"


class RoleRequired(Forbidden):
    """The route is for others; which role it asks for is written in the policy table."""

    code = "role-required"
    title = "Your role does not allow this"


class RoleOutOfReach(Forbidden):
    """The user, or the role that they would get, stands above the caller."""

    code = "role-out-of-reach"
    title = "You may not manage this user or role"


class LastManager(Conflict):
    """Without this user nobody would be MANAGER any more."""

    code = "last-manager"
    title = "The last manager stays"


class UserNotFound(NotFound):
    """There is no such user."""

    code = "user-not-found"
    title = "There is no such user"


class SessionNotFound(NotFound):
    """The caller has no such session."""

    code = "session-not-found"
    title = "There is no such session"


class EmailTaken(Conflict):
    """A user has this address; told to operators only."""

    code = "email-taken"
    title = "A user has this e-mail address"
