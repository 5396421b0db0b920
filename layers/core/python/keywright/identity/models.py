"""Users, sessions and callers, and what can be wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keywright.platform.errors import Conflict, Forbidden, Invalid, Unauthenticated

SEND_VERIFICATION = "identity.send-verification"
"""The job ``{user_sid}`` that mails the token which verifies an address."""


class Role(StrEnum):
    """What a user may do here. MANAGER outranks ADMIN."""

    USER = "USER"
    ADMIN = "ADMIN"
    MANAGER = "MANAGER"


STAFF = frozenset({Role.ADMIN, Role.MANAGER})


class TokenPurpose(StrEnum):
    """What a token that travels by mail is good for."""

    VERIFY_EMAIL = "VERIFY_EMAIL"


class RevokeReason(StrEnum):
    """Why a session ended before its time."""

    LOGGED_OUT = "LOGGED_OUT"
    REPLAYED = "REPLAYED"


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


@dataclass(frozen=True)
class Verification:
    """What the mail that verifies an address is made of."""

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
class RefreshToken:
    """The trace of a refresh token: its place in the session's line, and when it was spent."""

    token_hash: bytes
    generation: int
    used_at: datetime | None


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


class EmailTaken(Conflict):
    """A user has this address; told to operators only."""

    code = "email-taken"
    title = "A user has this e-mail address"
