"""What the routes of this function are asked and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from keywright.customers.models import CustomerKind, MemberRole
from keywright.identity import access_tokens, rules
from keywright.identity.models import Role
from keywright.platform import http

_TOKEN_LENGTH = 200

Email = Annotated[str, Field(max_length=rules.MAX_EMAIL_LENGTH, examples=["ada@example.com"])]
Password = Annotated[str, Field(max_length=1024, examples=["correct horse battery staple"])]
# A name goes into mails, so it has no line breaks and other control characters.
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
OpaqueToken = Annotated[str, Field(min_length=1, max_length=_TOKEN_LENGTH)]


class RegisterRequest(http.Body):
    """A person who signs up."""

    email: Email
    password: Password
    name: Name


class VerificationSentAnswer(http.Body):
    """The same for every address, whether it was known or not."""

    status: Literal["verification-sent"] = "verification-sent"


class EmailRequest(http.Body):
    """An address that may belong to a user."""

    email: Email


class VerifyEmailRequest(http.Body):
    """The token from the mail."""

    token: OpaqueToken


class VerifyEmailAnswer(http.Body):
    """The address is proven."""

    status: Literal["verified"] = "verified"


class LoginRequest(http.Body):
    """Address and password; of several customers the first is acted for, unless one is stated."""

    email: Email
    password: Password
    customer_sid: http.Sid | None = None


class RefreshRequest(http.Body):
    """The refresh token that the last answer held."""

    refresh_token: OpaqueToken


class TokensAnswer(http.Body):
    """An access token for the next minutes, and what to exchange for another one then."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int = int(access_tokens.LIFETIME.total_seconds())
    refresh_token: str


class LogoutAnswer(http.Body):
    """The session has ended."""

    status: Literal["logged-out"] = "logged-out"


class SessionAnswer(http.Body):
    """A session: on which device and from which address it was used last. ``current`` is the one that asks."""

    session_sid: str
    device: str
    user_agent: str
    address: str
    current: bool
    created_at: str
    last_used_at: str
    expires_at: str


class SessionsAnswer(http.Body):
    """A page of sessions, the oldest first."""

    items: list[SessionAnswer]
    next_cursor: str | None


class SessionsEndedAnswer(http.Body):
    """How many sessions have ended."""

    ended: int


class ResetSentAnswer(http.Body):
    """The same for every address, whether it was known or not."""

    status: Literal["reset-sent"] = "reset-sent"


class ResetPasswordRequest(http.Body):
    """The token from the mail, and the next password."""

    token: OpaqueToken
    password: Password


class ChangePasswordRequest(http.Body):
    """The password of today, and the next one."""

    current_password: Password
    new_password: Password


class PasswordChangedAnswer(http.Body):
    """The password is another one now."""

    status: Literal["password-changed"] = "password-changed"


class ChangeEmailRequest(http.Body):
    """The next address, and the password once more."""

    email: Email
    password: Password


class OwnCustomerAnswer(http.Body):
    """A customer that the caller may act for."""

    customer_sid: str
    kind: CustomerKind
    name: str
    member_role: MemberRole


class MeAnswer(http.Body):
    """The caller. ``customer_sid`` is the customer that this session acts for."""

    user_sid: str
    email: str
    name: str
    role: Role
    customer_sid: str
    customers: list[OwnCustomerAnswer]


class JsonWebKey(http.Body):
    """An RSA public key (RFC 7517)."""

    kty: str
    use: str
    alg: str
    kid: str
    n: str
    e: str


class JsonWebKeySet(http.Body):
    """The keys that access tokens may be signed with."""

    keys: list[JsonWebKey]
