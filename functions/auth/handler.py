"""Register, verify, log in, refresh, log out; who am I; the public keys of the access tokens."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from keywright.identity import access_tokens, rules, service, sessions
from keywright.identity import gateway as identity_gateway
from keywright.identity.models import Caller, Origin, RefreshTokenInvalid, Role, Tokens, User
from keywright.platform import clock, db, http
from keywright.platform.db import Transaction

app = http.api()

_TOKEN_LENGTH = 200
_USER_AGENT_LENGTH = 400
_ADDRESS_LENGTH = 64

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


class RegisterAnswer(http.Body):
    """The same for every address, whether it was known or not."""

    status: Literal["verification-sent"] = "verification-sent"


class VerifyEmailRequest(http.Body):
    """The token from the mail."""

    token: OpaqueToken


class VerifyEmailAnswer(http.Body):
    """The address is proven."""

    status: Literal["verified"] = "verified"


class LoginRequest(http.Body):
    """Address and password."""

    email: Email
    password: Password


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


class MeAnswer(http.Body):
    """The caller."""

    user_sid: str
    email: str
    name: str
    role: Role
    customer_sid: str


class JsonWebKey(http.Body):
    """An RSA public key (RFC 7517)."""

    kty: str
    use: str
    alg: str
    kid: str
    n: str
    e: str


class JsonWebKeySet(http.Body):
    """The keys that access tokens may be signed with now."""

    keys: list[JsonWebKey]


@app.post("/v1/auth/register", status_code=202, summary="Sign up", tags=["auth"])
def register(body: RegisterRequest) -> RegisterAnswer:
    """Make an account and mail a verification token. The answer does not tell whether the address was known."""
    password_hash, now = service.accept_password(body.password), clock.now()

    def work(tx: Transaction) -> None:
        service.register(tx, email=body.email, password_hash=password_hash, name=body.name, now=now)

    db.transact(work)
    return RegisterAnswer()


@app.post("/v1/auth/verify-email", summary="Verify an e-mail address", tags=["auth"])
def verify_email(body: VerifyEmailRequest) -> VerifyEmailAnswer:
    """Prove an address by the token from the mail: it works once, within 24 hours, and only the newest one."""
    now = clock.now()
    db.transact(lambda tx: service.verify_email(tx, token=body.token, now=now))
    return VerifyEmailAnswer()


@app.post("/v1/auth/login", summary="Log in", tags=["auth"])
def login(body: LoginRequest) -> TokensAnswer:
    """Open a session for a verified address and its password."""
    access, origin, now = identity_gateway.access_tokens(), _origin(), clock.now()

    def work(tx: Transaction) -> Tokens:
        return sessions.login(tx, access, email=body.email, password=body.password, origin=origin, now=now)

    return _answer(db.transact(work))


@app.post("/v1/auth/refresh", summary="Exchange a refresh token", tags=["auth"])
def refresh(body: RefreshRequest) -> TokensAnswer:
    """Return the next tokens. A refresh token works once; presenting a spent one ends the session."""
    access, now = identity_gateway.access_tokens(), clock.now()
    outcome = db.transact(lambda tx: sessions.refresh(tx, access, refresh_token=body.refresh_token, now=now))
    if isinstance(outcome, RefreshTokenInvalid):
        raise outcome
    return _answer(outcome)


@app.post("/v1/auth/logout", summary="Log out", tags=["auth"])
def logout() -> LogoutAnswer:
    """End the caller's session, and with it its tokens."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> None:
        caller = service.authenticate(tx, access, bearer=http.bearer(app), now=now)
        sessions.logout(tx, caller, now=now)

    db.transact(work)
    return LogoutAnswer()


@app.get("/v1/me", summary="Who am I", tags=["auth"])
def me() -> MeAnswer:
    """Return the caller as the database knows them now."""
    access, now = identity_gateway.access_tokens(), clock.now()

    def work(tx: Transaction) -> tuple[Caller, User]:
        caller = service.authenticate(tx, access, bearer=http.bearer(app), now=now)
        return caller, service.get_user(tx, user_sid=caller.user_sid)

    caller, user = db.transact(work)
    return MeAnswer(
        user_sid=user.user_sid,
        email=user.email,
        name=user.name,
        role=caller.role,
        customer_sid=caller.customer_sid,
    )


@app.get(
    "/.well-known/jwks.json",
    cache_control="public, max-age=300",
    summary="The public keys of the access tokens",
    tags=["auth"],
)
def jwks() -> JsonWebKeySet:
    """Return the keys that access tokens may be signed with now, as a JSON Web Key Set."""
    return JsonWebKeySet(keys=[JsonWebKey(**key) for key in identity_gateway.access_tokens().jwks()])


def _origin() -> Origin:
    user_agent = app.current_event.headers.get("user-agent") or ""
    return Origin(user_agent[:_USER_AGENT_LENGTH], http.source_address(app)[:_ADDRESS_LENGTH])


def _answer(tokens: Tokens) -> TokensAnswer:
    return TokensAnswer(access_token=tokens.access_token, refresh_token=tokens.refresh_token)


handler = http.entrypoint(app)
